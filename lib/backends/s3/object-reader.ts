import { createHash, type Hash } from 'node:crypto';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  ConnectionError,
  IntegrityError,
  PreconditionFailedError,
  StorageError,
  TimeoutError,
} from '../../contract/index.js';
import type { Bucket } from './bucket.js';
import { etagOf } from './object-attributes.js';
import { errorOf, failureOf } from './s3-errors.js';

/** How often a body that breaks off is taken up again without a byte in between. */
const RESUMPTIONS = 4;
/** Milliseconds before the first of them but one. */
const PAUSE = 100;

export interface ReadPlan {
  readonly bucket: Bucket;
  readonly key: string;
  readonly etag: string;
  readonly offset: number;
  readonly length: number;
  /** What the whole object was stored with, where all of it is read. */
  readonly stored?: { readonly crc32?: string; readonly md5?: string };
}

/**
 * Reads an object, or a range of it. A body that breaks off is taken up again where it broke, from the same version; one that ends too
 * soon, or is not what was stored, is an error and never an end.
 */
export class ObjectReader extends Readable {
  readonly #plan: ReadPlan;
  #body: Readable | undefined;
  #position = 0;
  /** Whether more is asked for than has come. */
  #isWanted = false;
  /** Whether the body broke off while nothing was asked for. */
  #isBroken = false;
  #failures = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #md5: Hash | undefined;
  #crc = 0;
  readonly #cut = new AbortController();

  constructor(plan: ReadPlan, body: Readable) {
    super({ highWaterMark: 256 * 1024 });
    this.#plan = plan;
    this.#md5 = plan.stored?.md5 === undefined ? undefined : createHash('md5');
    this.#attach(body);
  }

  override _read(): void {
    if (this.#plan.length === 0) {
      this.#end();
      return;
    }
    this.#isWanted = true;
    if (this.#isBroken) this.#resumeSoon();
    if (this.#body === undefined) return;
    this.#watch();
    this.#body.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#cut.abort();
    // its socket is of use to nobody while the body is unread
    this.#body?.destroy();
    callback(error);
  }

  #attach(body: Readable): void {
    this.#body = body;
    body.pause();
    body
      .on('data', (chunk: Buffer) => {
        if (this.#body === body) this.#take(body, chunk);
      })
      .on('end', () => {
        if (this.#body === body) this.#break(new ConnectionError('The body ended too soon.'));
      })
      .on('error', (error) => {
        if (this.#body === body) this.#break(error);
      })
      .on('close', () => {
        if (this.#body === body) this.#break(new ConnectionError('The body was closed too soon.'));
      });
    body.pause();
  }

  #take(body: Readable, chunk: Buffer): void {
    const left = this.#plan.length - this.#position;
    if (chunk.length > left) {
      this.destroy(new IntegrityError(`The server sent more than the ${this.#plan.length} bytes it had announced.`));
      return;
    }
    this.#failures = 0;
    this.#position += chunk.length;
    this.#md5?.update(chunk);
    if (this.#plan.stored?.crc32 !== undefined) this.#crc = crc32(chunk, this.#crc);
    this.#isWanted = this.push(chunk);
    if (this.#position === this.#plan.length) this.#end();
    else if (this.#isWanted) this.#watch();
    else {
      clearTimeout(this.#idle);
      body.pause();
    }
  }

  /** The object is whole. */
  #end(): void {
    clearTimeout(this.#idle);
    const body = this.#body;
    this.#body = undefined;
    // to its own end, so that the socket is free again
    body?.resume();
    const { stored } = this.#plan;
    const isDamaged =
      (stored?.crc32 !== undefined && stored.crc32 !== crcText(this.#crc)) ||
      (stored?.md5 !== undefined && stored.md5 !== this.#md5?.digest('hex'));
    if (isDamaged) this.destroy(new IntegrityError('The bytes that came are not those that were stored.'));
    else this.push(null);
  }

  /** A reader that waits hears of a body that does not come. */
  #watch(): void {
    clearTimeout(this.#idle);
    const { idle } = this.#plan.bucket.settings.timeouts;
    this.#idle = setTimeout(() => {
      this.#break(new TimeoutError(`Nothing came for ${idle} ms.`));
    }, idle);
  }

  #break(error: unknown): void {
    clearTimeout(this.#idle);
    this.#body?.destroy();
    this.#body = undefined;
    if (this.destroyed) return;
    this.#failures++;
    if (this.#failures > RESUMPTIONS) {
      this.destroy(asError(this.#plan, error));
      return;
    }
    // servers close connections that nobody reads: to ask again and again would fill the memory for a reader that stands still
    if (this.#isWanted) this.#resumeSoon();
    else this.#isBroken = true;
  }

  #resumeSoon(): void {
    this.#isBroken = false;
    this.#idle = setTimeout(() => void this.#resume(), this.#failures === 1 ? 0 : PAUSE * 2 ** (this.#failures - 2));
  }

  async #resume(): Promise<void> {
    const { bucket, key, etag, offset, length } = this.#plan;
    const from = offset + this.#position;
    const last = offset + length - 1;
    try {
      const answer = await bucket.send(
        new bucket.sdk.GetObjectCommand({
          ...bucket.target,
          Key: bucket.name(key),
          Range: `bytes=${from}-${last}`,
          IfMatch: `"${etag}"`,
        }),
        { signal: this.#cut.signal, exchange: { readsBody: true } },
      );
      const body = bodyOf(answer);
      const isContinuation = answer.ContentRange?.startsWith(`bytes ${from}-${last}/`) === true;
      if (etagOf(answer.ETag) === etag && isContinuation && !this.destroyed) {
        this.#attach(body);
        this.#watch();
        body.resume();
        return;
      }
      body.destroy();
      this.destroy(changed(key));
    } catch (error) {
      if (this.destroyed) return;
      const { status } = failureOf(error);
      // what the SDK repeats it has repeated
      this.destroy(status === 412 || status === 404 ? changed(key, error) : asError(this.#plan, error));
    }
  }
}

export function bodyOf({ Body }: GetObjectCommandOutput): Readable {
  if (Body instanceof Readable) return Body;
  throw new StorageError('The client gives no Node stream: use a requestHandler for Node.');
}

function crcText(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

function changed(key: string, cause?: unknown): StorageError {
  return new PreconditionFailedError(
    'The file was replaced or removed while it was read, and the connection had broken.',
    {
      key,
      cause,
    },
  );
}

function asError({ bucket, key }: ReadPlan, error: unknown): Error {
  if (error instanceof StorageError) return error;
  return (
    errorOf(error, bucket.settings.bucket, key) ??
    new ConnectionError('The connection broke, and could not be taken up again.', { cause: error })
  );
}
