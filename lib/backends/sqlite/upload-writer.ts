import type { Readable } from 'node:stream';
import { SourceReading } from '../../contract/source/index.js';
import type { DatabaseThread } from './database-thread.js';

/** Pieces that one upload has in memory: one is written while the next fills. */
const PIECES = 2;

export interface UploadSizes {
  readonly chunkSize: number;
  readonly inlineSize: number;
}

/** A body that has been taken: a small one whole and in memory of its own, a larger one as chunks of a generation that nobody sees. */
export type Uploaded =
  | { readonly size: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly generation?: undefined }
  | { readonly size: number; readonly bytes?: undefined; readonly generation: number };

/**
 * Takes a body to its end. Small ones are kept together; larger ones are copied into pieces of equal size, each of which is handed to the
 * database's thread and comes back when it is written. The source waits when both pieces are full.
 */
export class UploadWriter {
  readonly #thread: DatabaseThread;
  readonly #key: string;
  readonly #sizes: UploadSizes;
  /** What has come and is in no piece yet. */
  #slices: Uint8Array[] = [];
  #size = 0;
  #isLarge = false;
  #free: Uint8Array<ArrayBuffer>[] = [];
  #pieces = 0;
  #piece: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #position = 0;
  #generation: number | undefined;
  #writing = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #source: Readable | undefined;
  #settle: (() => void) | undefined;

  constructor(thread: DatabaseThread, key: string, sizes: UploadSizes) {
    this.#thread = thread;
    this.#key = key;
    this.#sizes = sizes;
  }

  /** What is in memory already. It stays the caller's. */
  runBytes(bytes: Buffer): Promise<Uploaded> {
    return this.#run(() => {
      this.#take(bytes);
      this.#ended = true;
      this.#advance();
    });
  }

  /** Begins to listen at once. */
  run(source: Readable): Promise<Uploaded> {
    return this.#run(() => {
      this.#source = source;
      const reading = new SourceReading(source, {
        take: (chunk) => {
          this.#take(chunk);
          this.#advance();
        },
        end: () => {
          this.#ended = true;
          this.#advance();
        },
        fail: (error) => {
          this.#fail(error);
        },
      });
      const settle = this.#settle;
      this.#settle = () => {
        reading.stop(this.#failure !== undefined);
        settle?.();
      };
      reading.begin();
    });
  }

  /** Puts bytes that were kept together where an upload's bytes are. @returns the generation */
  async writeSmall(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const { generation } = await this.#write(bytes);
    this.#generation = generation;
    return generation;
  }

  /** Gives up what was written. */
  async discard(): Promise<void> {
    const generation = this.#generation;
    this.#generation = undefined;
    if (generation !== undefined) await this.#thread.call('abort', { generation });
  }

  #run(begin: () => void): Promise<Uploaded> {
    return new Promise((resolve, reject) => {
      this.#settle = () => {
        this.#free = [];
        if (this.#failure === undefined) resolve(this.#uploaded());
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the source's own, whatever it is
        else reject(this.#failure.error);
      };
      begin();
    });
  }

  #uploaded(): Uploaded {
    const size = this.#size;
    if (this.#generation !== undefined) return { size, generation: this.#generation };
    // memory of its own: a slice may lie in a pool that others use, and cannot be handed over
    const bytes = new Uint8Array(size);
    let filled = 0;
    for (const slice of this.#slices) {
      bytes.set(slice, filled);
      filled += slice.byteLength;
    }
    this.#slices = [];
    return { size, bytes };
  }

  #take(chunk: Uint8Array): void {
    if (this.#failure !== undefined || chunk.byteLength === 0) return;
    this.#slices.push(chunk);
    this.#size += chunk.byteLength;
    if (this.#size > this.#sizes.inlineSize) this.#isLarge = true;
  }

  /** Goes on after anything has happened; settles only when no write is under way. */
  #advance(): void {
    if (this.#failure === undefined && this.#isLarge) this.#fill();
    if (this.#writing) return;
    if (this.#failure !== undefined) {
      this.#settle?.();
      this.#settle = undefined;
      return;
    }
    if (!this.#ended) return;
    if (this.#isLarge && this.#filled > 0) {
      this.#send();
    } else {
      this.#settle?.();
      this.#settle = undefined;
    }
  }

  #fill(): void {
    const { chunkSize } = this.#sizes;
    let taken = 0;
    for (const slice of this.#slices) {
      let from = 0;
      while (from < slice.byteLength) {
        const piece = (this.#piece ??= this.#takePiece());
        if (piece === undefined || (this.#filled === chunkSize && this.#writing)) {
          this.#slices = [slice.subarray(from), ...this.#slices.slice(taken + 1)];
          this.#source?.pause();
          return;
        }
        if (this.#filled === chunkSize) {
          this.#send();
          continue;
        }
        const until = Math.min(slice.byteLength, from + chunkSize - this.#filled);
        piece.set(slice.subarray(from, until), this.#filled);
        this.#filled += until - from;
        from = until;
      }
      taken++;
    }
    this.#slices = [];
    if (this.#filled === chunkSize && !this.#writing) this.#send();
    if (this.#source?.isPaused() === true) this.#source.resume();
  }

  #takePiece(): Uint8Array<ArrayBuffer> | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#pieces === PIECES) return free;
    this.#pieces++;
    // without zeroes, and in no pool
    return Buffer.allocUnsafeSlow(this.#sizes.chunkSize);
  }

  #send(): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    const bytes = piece.subarray(0, this.#filled);
    this.#piece = undefined;
    this.#filled = 0;
    this.#writing = true;
    this.#write(bytes).then(
      ({ generation, memory }) => {
        this.#generation = generation;
        this.#free.push(new Uint8Array(memory));
        this.#writing = false;
        this.#advance();
      },
      (error: unknown) => {
        this.#writing = false;
        this.#fail(error);
      },
    );
  }

  #write(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly generation: number; readonly memory: ArrayBuffer }> {
    const position = this.#position++;
    const input = { key: this.#key, generation: this.#generation, position, bytes };
    return this.#thread.call('write', input, [bytes.buffer]);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#slices = [];
    this.#advance();
  }
}
