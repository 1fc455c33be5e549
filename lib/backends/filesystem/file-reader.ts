import { Readable } from 'node:stream';
import type { Disk } from './disk.js';
import { truncatedWhileRead } from './file-errors.js';

/** Bytes of one read for a reader that is fast: a third of the CPU of the usual 64 KiB. */
const CHUNK_BYTES = 512 * 1024;

/** Bytes of one read for all others. A slow reader holds two of them, and there may be thousands. */
const SLOW_CHUNK_BYTES = 48 * 1024;

/** So much must have gone fast before a reader counts as fast: the kernel takes a few MiB for a client that reads nothing (tcp(7), tcp_wmem). */
const FAST_AFTER_BYTES = 8 * 1024 * 1024;

/** A chunk that took longer than so many milliseconds to be taken was taken slowly. */
const FAST_MILLISECONDS = 50;

/** Reads a part of an open file, closes it at the end or when it is destroyed, and fails rather than end early. */
export class FileReader extends Readable {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #key: string;
  #position: number;
  readonly #end: number;
  #reading = false;
  /** How much has been taken without a pause. */
  #fastBytes = 0;
  #pushedAt = Number.POSITIVE_INFINITY;
  #afterRead: (() => void) | undefined;

  /** Owns the descriptor from now on. */
  constructor(disk: Disk, fd: number, key: string, offset: number, length: number) {
    // one chunk is read ahead, however small
    super({ highWaterMark: SLOW_CHUNK_BYTES });
    this.#disk = disk;
    this.#fd = fd;
    this.#key = key;
    this.#position = offset;
    this.#end = offset + length;
  }

  override _read(): void {
    const length = Math.min(this.#chunkBytes(), this.#end - this.#position);
    if (length <= 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(length);
    this.#reading = true;
    this.#disk.read(this.#fd, buffer, 0, length, this.#position).then(
      (bytes) => {
        this.#settleRead();
        if (this.destroyed) return;
        if (bytes === 0) {
          this.destroy(truncatedWhileRead(this.#key));
          return;
        }
        this.#position += bytes;
        this.#fastBytes += bytes;
        this.#pushedAt = performance.now();
        this.push(bytes === length ? buffer : buffer.subarray(0, bytes));
      },
      (error: unknown) => {
        this.#settleRead();
        this.destroy(error as Error);
      },
    );
  }

  #chunkBytes(): number {
    if (performance.now() - this.#pushedAt > FAST_MILLISECONDS) this.#fastBytes = 0;
    return this.#fastBytes < FAST_AFTER_BYTES ? SLOW_CHUNK_BYTES : CHUNK_BYTES;
  }

  #settleRead(): void {
    this.#reading = false;
    this.#afterRead?.();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const close = (): void => {
      this.#disk.close(this.#fd).then(
        () => {
          callback(error);
        },
        (failure: unknown) => {
          callback(error ?? (failure as Error));
        },
      );
    };
    // A descriptor that is closed under a read may by then be another file's.
    if (this.#reading) this.#afterRead = close;
    else close();
  }
}

/** Bytes that were read already, for objects so small that a stream on a descriptor would be most of the work. */
export class BytesReader extends Readable {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#bytes = bytes;
  }

  override _read(): void {
    if (this.#bytes.length > 0) this.push(this.#bytes);
    this.push(null);
  }
}

/** @throws IntegrityError when the file ends before */
export async function readExactly(
  disk: Disk,
  fd: number,
  key: string,
  offset: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const bytes = await disk.read(fd, buffer, done, length - done, offset + done);
    if (bytes === 0) throw truncatedWhileRead(key);
    done += bytes;
  }
  return buffer;
}
