import type { Readable } from 'node:stream';
import { StorageError } from '../../contract/index.js';
import { SourceReading } from '../../contract/source/index.js';
import type { Disk } from './disk.js';

/** How many bytes are gathered for one write: fewer and larger trips to the thread pool cost half the CPU. */
const BATCH_BYTES = 512 * 1024;
/** With many streams at once: what waits in all of them has to fit memory, and larger batches then save nothing more. */
const SHARED_BATCH_BYTES = 256 * 1024;
const FEW_STREAMS = 8;
/** How many slices at most: what the kernel takes in one call (`IOV_MAX`). */
const BATCH_SLICES = 1024;

/**
 * Moves the bytes of a source into a sink: slices are gathered as they came, without copying; one write is under way while the
 * next batch fills, and the source waits when that is full. It holds two batches and what the source itself reads ahead.
 */
export class SourceWriter {
  readonly #write: (buffers: Uint8Array[]) => Promise<void>;
  readonly #batchBytes: number;
  #batch: Uint8Array[] = [];
  #batched = 0;
  #total = 0;
  #writing = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #source: Readable | undefined;
  #settle: (() => void) | undefined;

  /**
   * @param streams how many are being written at this moment, with this one
   * @param write takes all bytes or fails
   */
  constructor(streams: number, write: (buffers: Uint8Array[]) => Promise<void>) {
    this.#write = write;
    this.#batchBytes = streams > FEW_STREAMS ? SHARED_BATCH_BYTES : BATCH_BYTES;
  }

  /** Reads a source to its end. Begins to listen at once. @returns how many bytes were written */
  run(source: Readable): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#source = source;
      const reading = new SourceReading(source, {
        take: (chunk) => {
          this.#take(chunk);
        },
        end: () => {
          this.#ended = true;
          this.#advance();
        },
        fail: (error) => {
          this.#fail(error);
        },
      });
      this.#settle = () => {
        reading.stop(this.#failure !== undefined);
        if (this.#failure === undefined) resolve(this.#total);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the source's own, whatever it is
        else reject(this.#failure.error);
      };
      reading.begin();
    });
  }

  #take(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#batch.push(chunk);
    this.#batched += chunk.length;
    if (!this.#isFull()) return;
    if (this.#writing) this.#source?.pause();
    else this.#flush();
  }

  #isFull(): boolean {
    return this.#batched >= this.#batchBytes || this.#batch.length >= BATCH_SLICES;
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#total += this.#batched;
    this.#batched = 0;
    this.#writing = true;
    this.#write(batch).then(
      () => {
        this.#writing = false;
        this.#advance();
      },
      (error: unknown) => {
        this.#writing = false;
        this.#fail(error);
      },
    );
  }

  /** Goes on after a write or at the source's end; settles only when no write is under way, so that the descriptor may be closed. */
  #advance(): void {
    if (this.#writing) return;
    if (this.#failure !== undefined) {
      this.#settle?.();
    } else if (this.#isFull() || (this.#ended && this.#batched > 0)) {
      this.#flush();
      if (!this.#ended) this.#source?.resume();
    } else if (this.#ended) {
      this.#settle?.();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#batch = [];
    this.#advance();
  }
}

/** Writes until all is written: a write may take fewer bytes than it was given, on a full disk or at a limit. */
export async function writeAll(disk: Disk, fd: number, buffers: readonly Uint8Array[]): Promise<void> {
  let left = buffers;
  while (left.length > 0) {
    const written = await disk.writev(fd, left);
    const next = withoutFirst(left, written);
    if (written === 0 && next.length > 0) throw new StorageError('The file system took no byte of a write.');
    left = next;
  }
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = bytes;
  for (const [i, buffer] of buffers.entries()) {
    if (skipped < buffer.length) return [buffer.subarray(skipped), ...buffers.slice(i + 1)];
    skipped -= buffer.length;
  }
  return [];
}
