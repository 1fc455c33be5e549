import { Readable } from 'node:stream';

/** How much one chunk has, in bytes. */
const CHUNK = 64 * 1024;

/** Reads a part of bytes in memory. Every chunk is a copy: a reader that writes into it does not write into the object. */
export class MemoryReader extends Readable {
  #bytes: Buffer;
  #position: number;
  readonly #end: number;

  constructor(bytes: Buffer, offset: number, length: number) {
    super({ highWaterMark: CHUNK });
    this.#bytes = bytes;
    this.#position = offset;
    this.#end = offset + length;
  }

  override _read(): void {
    if (this.#position >= this.#end) {
      this.push(null);
      return;
    }
    const start = this.#position;
    this.#position = Math.min(start + CHUNK, this.#end);
    this.push(Buffer.from(this.#bytes.subarray(start, this.#position)));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#bytes = Buffer.alloc(0); // an abandoned reader does not keep the object alive
    callback(error);
  }
}
