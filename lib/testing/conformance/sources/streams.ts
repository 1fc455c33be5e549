import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { chunksOf } from './bytes.js';

/** A Node stream of these chunks. */
export function streamOf(...chunks: readonly (Uint8Array | string)[]): Readable {
  return Readable.from(chunks, { objectMode: false });
}

/** A Node stream of bytes in chunks of one size, whose length nobody knows. */
export function streamInChunks(bytes: Uint8Array, size: number): Readable {
  return Readable.from(chunksOf(bytes, size), { objectMode: false });
}

// eslint-disable-next-line @typescript-eslint/require-await -- an async source whose chunks are at hand
export async function* generate(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export function webStreamOf(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const queue = chunks.values();
  return new ReadableStream({
    pull(controller) {
      const next = queue.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
}

/** A Node stream that gives these chunks, and then fails or closes without a word. */
export function failingStream(chunks: readonly Uint8Array[], failure: Error | 'closes'): Readable {
  const queue = chunks.values();
  return new Readable({
    read() {
      const next = queue.next();
      if (next.done !== true) this.push(next.value);
      else this.destroy(failure === 'closes' ? undefined : failure);
    },
  });
}

/** A web stream that gives these chunks, and then fails. */
export function failingWebStream(chunks: readonly Uint8Array[], failure: Error): ReadableStream<Uint8Array> {
  const queue = chunks.values();
  return new ReadableStream({
    pull(controller) {
      const next = queue.next();
      if (next.done === true) controller.error(failure);
      else controller.enqueue(next.value);
    },
  });
}

/** A Node stream that never ends, and counts what was taken of it. */
export class EndlessStream extends Readable {
  taken = 0;
  readonly #chunk = Buffer.alloc(64 * 1024, 'e');

  override _read(): void {
    this.taken += this.#chunk.length;
    // not at once: a reader that never yields would keep the check from aborting
    setImmediate(() => this.push(this.#chunk));
  }
}
