import type { Readable } from 'node:stream';

/** How the reading of a stream has ended. */
export interface Reading {
  /** What was taken from the storage, of a stream that was left early too. */
  readonly bytes: number;
  /** Whether it was read to its end. */
  readonly complete: boolean;
  readonly error: Error | undefined;
}

/**
 * Calls back once the stream has closed. It counts at `push`, where the bytes come out of the storage: a listener to `data` would start the stream, and the
 * size of the file says nothing of a reader that leaves early.
 */
export function watchReading(stream: Readable, whenOver: (reading: Reading) => void): void {
  let bytes = stream.readableLength;
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) bytes += chunk.byteLength;
    else if (typeof chunk === 'string') bytes += Buffer.byteLength(chunk, encoding);
    return push(chunk, encoding);
  };
  stream.once('close', () => {
    whenOver({ bytes, complete: stream.readableEnded, error: stream.errored ?? undefined });
  });
}
