import { Readable } from 'node:stream';
import { IntegrityError } from '../../contract/index.js';

/** Where a body lies, and how to get at it. */
export interface ChunkedBody {
  readonly key: string;
  readonly chunkSize: number;
  /** The whole body's bytes. */
  readonly size: number;
  /** @returns `undefined` where there is no such chunk */
  chunk(position: number): Promise<Uint8Array | undefined>;
  /** Nothing is read any more. */
  release(): void;
}

/** Reads a part of a body, only the chunks it lies in, one ahead of its reader; fails rather than end early. */
export class ChunkReader extends Readable {
  readonly #body: ChunkedBody;
  #offset: number;
  readonly #end: number;
  #next: Promise<Uint8Array | undefined> | undefined;

  /** Owns the body from now on. */
  constructor(body: ChunkedBody, offset: number, length: number) {
    // One chunk at a time: the next is under way while this one is consumed.
    super({ highWaterMark: 1 });
    this.#body = body;
    this.#offset = offset;
    this.#end = offset + length;
  }

  override _read(): void {
    if (this.#offset >= this.#end) {
      this.push(null);
      return;
    }
    const position = Math.floor(this.#offset / this.#body.chunkSize);
    const chunk = this.#next ?? this.#body.chunk(position);
    this.#next = undefined;
    chunk.then(
      (bytes) => {
        if (!this.destroyed) this.#take(position, bytes);
      },
      (error: unknown) => {
        this.destroy(error as Error);
      },
    );
  }

  #take(position: number, bytes: Uint8Array | undefined): void {
    const { key, chunkSize, size } = this.#body;
    const start = position * chunkSize;
    const expected = Math.min(chunkSize, size - start);
    if (bytes?.byteLength !== expected) {
      this.destroy(new IntegrityError('A part of the file is missing in the database.', { key }));
      return;
    }
    const from = this.#offset - start;
    const until = Math.min(expected, this.#end - start);
    this.#offset = start + until;
    if (this.#offset < this.#end) {
      this.#next = this.#body.chunk(position + 1);
      // it is heard when it is read
      this.#next.catch(() => undefined);
    }
    this.push(Buffer.from(bytes.buffer, bytes.byteOffset + from, until - from));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#next = undefined;
    this.#body.release();
    callback(error);
  }
}

/** A body that has come whole. */
export class BytesReader extends Readable {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  override _read(): void {
    if (this.#bytes.length > 0) this.push(this.#bytes);
    this.push(null);
  }
}
