import { Readable } from 'node:stream';
import type { Disk } from './disk.js';
import { truncatedWhileRead } from './file-errors.js';

/** Bytes of one read: a third of the CPU of the usual 64 KiB. */
const CHUNK_BYTES = 512 * 1024;

/** Reads a part of an open file, closes it at the end or when it is destroyed, and fails rather than end early. */
export class FileReader extends Readable {
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #key: string;
  #position: number;
  readonly #end: number;
  #reading = false;
  #afterRead: (() => void) | undefined;

  /** Owns the descriptor from now on. */
  constructor(disk: Disk, fd: number, key: string, offset: number, length: number) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#disk = disk;
    this.#fd = fd;
    this.#key = key;
    this.#position = offset;
    this.#end = offset + length;
  }

  override _read(): void {
    const length = Math.min(CHUNK_BYTES, this.#end - this.#position);
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
        this.push(bytes === length ? buffer : buffer.subarray(0, bytes));
      },
      (error: unknown) => {
        this.#settleRead();
        this.destroy(error as Error);
      },
    );
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
