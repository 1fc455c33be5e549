import type { Readable } from 'node:stream';

/** Resolves when a stream has let go of what it held, whether or not it failed. */
export async function streamClosed(stream: Readable): Promise<void> {
  if (stream.closed) {
    // it is closed one turn before it says so
    await new Promise((resolve) => setImmediate(resolve));
    return;
  }
  // not events.once(), which rejects at an error
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
}
