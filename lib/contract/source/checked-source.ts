import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { types } from 'node:util';
import { crc32 } from 'node:zlib';
import { FileTooLargeError, IntegrityError, InvalidArgumentError, SourceError } from '../errors/index.js';
import type { Checksum, TransferProgress } from '../options/options.js';

/** What is demanded of the bytes that pass. */
export interface SourceChecks {
  /** Exact length in bytes. */
  readonly size?: number | undefined;
  /** Largest length in bytes. */
  readonly maxSize?: number | undefined;
  readonly checksum?: Checksum | undefined;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Counts and hashes bytes, and says at their end whether they are what was declared. */
export class ByteChecks {
  readonly #checks: SourceChecks;
  readonly #hashes: {
    readonly algorithm: keyof Checksum;
    readonly expected: string;
    readonly hash: Hash | undefined;
  }[] = [];
  #crc = 0;
  #transferred = 0;
  #reported = -1;

  constructor(checks: SourceChecks) {
    this.#checks = checks;
    for (const algorithm of ['sha256', 'md5', 'crc32'] as const) {
      const expected = checks.checksum?.[algorithm];
      if (expected !== undefined) {
        this.#hashes.push({ algorithm, expected, hash: algorithm === 'crc32' ? undefined : createHash(algorithm) });
      }
    }
  }

  add(bytes: Uint8Array): void {
    this.#transferred += bytes.byteLength;
    const { size, maxSize } = this.#checks;
    if (size !== undefined && this.#transferred > size) {
      throw new IntegrityError(`The body is longer than the ${size} bytes that were declared.`);
    }
    if (maxSize !== undefined && this.#transferred > maxSize) {
      throw new FileTooLargeError(`This storage takes files of at most ${maxSize} bytes.`);
    }
    for (const { hash } of this.#hashes) {
      if (hash === undefined) this.#crc = crc32(bytes, this.#crc);
      else hash.update(bytes);
    }
    this.#report();
  }

  end(): void {
    const { size } = this.#checks;
    if (size !== undefined && this.#transferred !== size) {
      throw new IntegrityError(`The body ended after ${this.#transferred} of the ${size} bytes that were declared.`);
    }
    for (const { algorithm, expected, hash } of this.#hashes) {
      const actual = hash?.digest('hex') ?? this.#crc.toString(16).padStart(8, '0');
      if (actual !== expected) {
        throw new IntegrityError(`The body's ${algorithm} is ${actual}, and ${expected} was declared.`);
      }
    }
    this.#report();
  }

  #report(): void {
    const { onProgress, size } = this.#checks;
    if (onProgress === undefined || this.#reported === this.#transferred) return;
    this.#reported = this.#transferred;
    onProgress(
      size === undefined ? { transferred: this.#transferred } : { transferred: this.#transferred, total: size },
    );
  }
}

/**
 * A byte stream over another source that fails rather than end with other bytes than were declared. It passes the chunks on as
 * they came, reads no more than it is asked for, and destroys the source with itself.
 */
export abstract class CheckedSource extends Readable {
  /** Why this source failed: its own reason, whatever the reader then destroys it with. */
  failure: Error | undefined;
  readonly #checks: ByteChecks;

  constructor(checks: SourceChecks) {
    super();
    this.#checks = new ByteChecks(checks);
  }

  /** @returns whether the reader wants more at once */
  protected accept(chunk: unknown): boolean {
    try {
      const bytes = toBytes(chunk);
      this.#checks.add(bytes);
      // an empty chunk would say "nothing for now" to a Readable
      return bytes.byteLength === 0 || this.push(bytes);
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  protected finish(): void {
    try {
      this.#checks.end();
      this.push(null);
    } catch (error) {
      this.fail(error);
    }
  }

  protected fail(error: unknown): void {
    // What happens to the source after the reader gave up is not why it gave up.
    if (this.destroyed) return;
    this.failure ??=
      error instanceof Error || types.isNativeError(error)
        ? error
        : new SourceError('The source failed.', { cause: error });
    this.destroy(this.failure);
  }
}

/** Over a Node stream. */
export class CheckedStream extends CheckedSource {
  readonly #upstream: Readable;
  #started = false;

  constructor(upstream: Readable, checks: SourceChecks) {
    super(checks);
    this.#upstream = upstream;
    // at once: an error before the first read must not go unheard
    upstream.on('error', (error) => {
      this.fail(error);
    });
    upstream.on('close', () => {
      if (!upstream.readableEnded) this.fail(new SourceError('The source closed before it had ended.'));
    });
  }

  override _read(): void {
    if (this.#started) {
      this.#upstream.resume();
      return;
    }
    this.#started = true;
    this.#upstream
      .on('data', (chunk: unknown) => {
        if (!this.destroyed && !this.accept(chunk)) this.#upstream.pause();
      })
      .on('end', () => {
        if (!this.destroyed) this.finish();
      })
      // one that its owner has paused, or unpiped, does not flow for a listener alone
      .resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#upstream.readableEnded) this.#upstream.destroy();
    callback(error);
  }
}

/** Over an async iterator, so over a web stream and a Blob too. */
export class CheckedIterable extends CheckedSource {
  readonly #iterator: AsyncIterator<unknown>;
  #pulling = false;
  #done = false;

  /** @throws {@link SourceError} when the source does not give an iterator */
  constructor(iterable: AsyncIterable<unknown>, checks: SourceChecks) {
    super(checks);
    try {
      this.#iterator = iterable[Symbol.asyncIterator]();
    } catch (error) {
      throw new SourceError('The source failed before it could be read.', { cause: error });
    }
  }

  override _read(): void {
    if (!this.#pulling) void this.#pull();
  }

  async #pull(): Promise<void> {
    this.#pulling = true;
    try {
      for (;;) {
        const result = await this.#iterator.next();
        if (this.destroyed) return;
        if (result.done === true) {
          this.#done = true;
          this.finish();
          return;
        }
        if (!this.accept(result.value)) return;
      }
    } catch (error) {
      this.#done = true;
      this.fail(error);
    } finally {
      this.#pulling = false;
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Not awaited: a generator that waits for ever inside would hold the put for ever.
    if (!this.#done) void closeIterator(this.#iterator);
    this.#done = true;
    callback(error);
  }
}

/** Ends an iterator that nobody reads any more. What it then says has no one left to tell: the failure that led here is reported. */
export async function closeIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // see above
  }
}

/** Bytes in memory as a stream, for the hooks that want one. */
export class BytesSource extends Readable {
  readonly #bytes: Buffer;
  #onRead: (() => void) | undefined;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  /** Calls back as soon as somebody reads. Most hooks take the bytes instead. */
  whenRead(callback: () => void): void {
    this.#onRead = callback;
  }

  override _read(): void {
    this.#onRead?.();
    // what was called may have ended it
    if (this.destroyed) return;
    if (this.#bytes.length > 0) this.push(this.#bytes);
    this.push(null);
  }
}

function toBytes(chunk: unknown): Uint8Array {
  if (types.isUint8Array(chunk)) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk, 'utf8');
  throw new InvalidArgumentError(
    `The source must yield Uint8Array or string, not ${chunk === null ? 'null' : typeof chunk}.`,
  );
}
