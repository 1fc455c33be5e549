import type { Readable } from 'node:stream';
import { FileTooLargeError, UnsupportedOperationError } from '../../contract/index.js';
import { onAbort } from '../../contract/base/abort.js';
import { SourceReading } from '../../contract/source/index.js';
import type { Bucket } from './bucket.js';
import type { BufferBudget, Share } from './buffer-budget.js';
import { MultipartUpload } from './multipart-upload.js';
import { MAX_OBJECT, MAX_PARTS, partSizeOf } from './part-sizes.js';
import type { PutInput } from './put-object.js';
import { SlicedBody } from './sliced-body.js';

/** What is read of the next part while all that may be are on their way: enough to go on at once, and memory for half a part less. */
const AHEAD = 0.5;

/** A body that has been taken: whole in memory, counted by its share of the budget, or as the parts of an upload. */
export type Taken =
  | { readonly body: SlicedBody; readonly share: Share; readonly parts?: undefined }
  | { readonly parts: MultipartUpload; readonly body?: undefined };

export interface TakerOptions extends PutInput {
  /** The length where it is known. */
  readonly size?: number;
  /** The body where it is in memory already. */
  readonly bytes?: Uint8Array | undefined;
}

/**
 * Takes a body to its end. One that fits a part stays in memory; of a larger one the parts are sent as they fill, a few at once, and the source
 * waits when they are all on their way or the budget of the storage is used up.
 */
export class UploadTaker {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #options: TakerOptions;
  /** Bytes that a condition holds for, with what an error says beyond. */
  readonly #most: { readonly bytes: number; readonly error: () => Error };
  readonly #share: Share;
  readonly #cut = new AbortController();
  /** What has come and is in no part yet. */
  #slices: Uint8Array[] = [];
  #body: SlicedBody;
  #number = 1;
  #taken = 0;
  #inFlight = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #upload: Promise<MultipartUpload> | undefined;
  #source: Readable | undefined;
  #settle: (() => void) | undefined;

  /** @param maxConditionalSize the largest body that the options' condition can be decided for */
  constructor(bucket: Bucket, budget: BufferBudget, key: string, options: TakerOptions, maxConditionalSize: number) {
    this.#bucket = bucket;
    this.#key = key;
    this.#options = options;
    this.#most = mostBytes(options, maxConditionalSize);
    this.#share = budget.share(() => {
      this.#advance();
    });
    this.#body = this.#nextBody();
  }

  /** What is in memory already. It stays the caller's. */
  runBytes(bytes: Uint8Array): Promise<Taken> {
    return this.#run(() => {
      const settle = this.#settle;
      // nobody reads the source, whose end would tell of the signal
      const off = onAbort(this.#options.signal, (error) => {
        this.#fail(error);
      });
      this.#settle = () => {
        off();
        settle?.();
      };
      // the caller's own memory is not the budget's
      this.#taken = bytes.byteLength;
      this.#slices = [bytes];
      this.#ended = true;
      this.#advance();
    });
  }

  /** Begins to listen at once. */
  run(source: Readable): Promise<Taken> {
    return this.#run(() => {
      this.#source = source;
      const reading = new SourceReading(source, {
        take: (chunk) => {
          if (this.#failure !== undefined || chunk.byteLength === 0) return;
          this.#taken += chunk.byteLength;
          this.#slices.push(chunk);
          this.#share.add(chunk.byteLength);
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

  async #run(begin: () => void): Promise<Taken> {
    this.#bucket.blocks.begin();
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      begin();
    });
    this.#bucket.blocks.end();
    if (this.#failure === undefined) {
      if (this.#upload === undefined) return { body: this.#body, share: this.#share };
      this.#share.end();
      return { parts: await this.#upload };
    }
    this.#share.end();
    // where it could not be begun there is none; what cannot be removed now is found by the sweep
    await this.#upload?.then((upload) => upload.abort()).catch(() => undefined);
    throw this.#failure.error;
  }

  /** Goes on after anything has happened; settles only when no part is under way. */
  #advance(): void {
    if (this.#settle === undefined) return;
    if (this.#failure === undefined && this.#taken > this.#most.bytes) this.#failure = { error: this.#most.error() };
    if (this.#failure === undefined) this.#fill();
    if (this.#failure !== undefined) {
      this.#slices = [];
      this.#cut.abort();
      if (this.#inFlight === 0) this.#finish();
      return;
    }
    if (this.#ended && this.#slices.length === 0) this.#sendLast();
  }

  #sendLast(): void {
    if (this.#number > 1 && this.#body.size > 0) {
      if (this.#inFlight < this.#bucket.settings.concurrency) this.#send();
    }
    if (this.#number > 1 ? this.#inFlight === 0 && this.#body.size === 0 : true) this.#finish();
  }

  #finish(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.();
  }

  #fill(): void {
    let filled = 0;
    for (const slice of this.#slices) {
      let from = 0;
      while (from < slice.byteLength) {
        const room = this.#partSize - this.#body.size;
        if (this.#inFlight === this.#bucket.settings.concurrency && this.#body.size >= this.#partSize * AHEAD) {
          this.#slices = [slice.subarray(from), ...this.#slices.slice(filled + 1)];
          this.#source?.pause();
          return;
        }
        if (room === 0) {
          // full, and there is more: so there are parts
          this.#send();
          if (this.#failure !== undefined) return;
          continue;
        }
        this.#body.add(from === 0 && slice.byteLength <= room ? slice : slice.subarray(from, from + room));
        from += room;
      }
      filled++;
    }
    this.#slices = [];
    if (this.#ended || this.#source === undefined) return;
    if (!this.#share.hasRoom()) this.#source.pause();
    else if (this.#source.isPaused()) this.#source.resume();
  }

  get #partSize(): number {
    return partSizeOf(this.#number, this.#bucket.settings.partSize, this.#options.size);
  }

  #send(): void {
    const number = this.#number;
    const body = this.#body;
    if (number > MAX_PARTS) {
      this.#fail(tooLarge());
      return;
    }
    this.#number++;
    this.#body = this.#nextBody();
    this.#inFlight++;
    this.#share.filled();
    this.#upload ??= MultipartUpload.begin(this.#bucket, this.#key, this.#options);
    this.#upload
      .then((upload) => upload.put(number, body, this.#cut.signal))
      .then(
        () => {
          this.#inFlight--;
          body.release();
          if (this.#source !== undefined) this.#share.remove(body.size);
          this.#advance();
        },
        (error: unknown) => {
          this.#inFlight--;
          this.#fail(error);
        },
      );
  }

  #nextBody(): SlicedBody {
    // what is in memory already is sent from there
    return new SlicedBody(this.#bucket.integrity, this.#options.bytes === undefined ? this.#bucket.blocks : undefined);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#advance();
  }
}

function mostBytes(
  options: PutInput,
  maxConditionalSize: number,
): { readonly bytes: number; readonly error: () => Error } {
  const conditional = options.ifNoneMatch !== undefined || options.ifMatch !== undefined;
  if (!conditional || maxConditionalSize >= MAX_OBJECT) return { bytes: MAX_OBJECT, error: tooLarge };
  return { bytes: maxConditionalSize, error: () => conditionalSizeError(maxConditionalSize) };
}

export function conditionalSizeError(maxConditionalSize: number): Error {
  return new UnsupportedOperationError(
    `This server decides a condition for objects of one part only: of at most ${maxConditionalSize} bytes (partSize). ` +
      'Nothing was stored.',
  );
}

function tooLarge(): Error {
  return new FileTooLargeError(`S3 takes objects of at most 5 TiB, in at most ${MAX_PARTS} parts.`);
}
