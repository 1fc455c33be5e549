import type { Readable } from 'node:stream';
import {
  BaseStorage,
  defineCapabilities,
  FileExistsError,
  FileNotFoundError,
  MAX_KEY_BYTES,
  StorageError,
  UnsupportedOperationError,
  type Capabilities,
  type DeleteOutcome,
  type ListEntry,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type ResolvedUploadUrlOptions,
  type ResolvedUrlOptions,
  type SignalOptions,
  type SignedUpload,
  type StagedBytes,
  type StoredFile,
} from '../../contract/index.js';
import { copyThrough, pickSignal } from '../../contract/base/defaults.js';
import { Bucket } from './bucket.js';
import { BufferBudget } from './buffer-budget.js';
import { deleteObjects } from './bulk-delete.js';
import { headObject, withSize } from './head-object.js';
import { listLevel, listObjects } from './listing.js';
import { MAX_OBJECT } from './part-sizes.js';
import { ALL_CONDITIONS, probeConditions } from './probe-conditions.js';
import { isConditional, putObject } from './put-object.js';
import { readObject } from './read-object.js';
import { errorOf } from './s3-errors.js';
import { checkS3StorageConfig, type S3Conditions, type S3Settings, type S3StorageConfig } from './s3-storage-config.js';
import { copyIfNew, copyObject, sourceOf } from './server-copy.js';
import { signGet, signUpload } from './signed-urls.js';
import { stageSmall } from './staged-small.js';
import { sweepUploads, type SweepOptions, type SweepReport } from './sweep.js';
import { conditionalSizeError, UploadTaker } from './upload-taker.js';
import { verifyBucket } from './verify.js';

/**
 * Keeps objects in a bucket of Amazon S3, or of a server that speaks its protocol, by @aws-sdk/client-s3.
 *
 * An object below one part is one request; a larger one goes up in parts while its source is read, and becomes visible when all have arrived. All
 * uploads together hold a bounded part of what they send in memory.
 *
 * @example
 * const storage = new S3Storage({ bucket: 'uploads', region: 'eu-central-1', prefix: 'avatars' });
 */
export class S3Storage extends BaseStorage {
  override capabilities: Capabilities;
  protected override readonly _readsSourceDirectly = true;
  protected override readonly _keepsMaxSize = true;

  readonly #settings: S3Settings;
  readonly #budget: BufferBudget;
  #bucket: Bucket | undefined;

  /** @throws ConfigurationError that names the field */
  constructor(config: S3StorageConfig) {
    const settings = checkS3StorageConfig(config);
    super({ keys: settings.keys, name: settings.name });
    this.#settings = settings;
    this.#budget = new BufferBudget(settings.maxBufferedBytes, settings.partSize);
    const { conditions } = settings;
    // what a probe is to find out is taken for granted until then, and what it found holds for calls that came before
    this.capabilities = this.#capabilitiesOf(typeof conditions === 'object' ? conditions : ALL_CONDITIONS);
  }

  protected override async _open(): Promise<void> {
    const bucket = await Bucket.open(this.#settings);
    try {
      const { conditions = bucket.isAmazon ? ALL_CONDITIONS : 'probe' } = this.#settings;
      this.capabilities = this.#capabilitiesOf(conditions === 'probe' ? await probeConditions(bucket) : conditions);
      this.#bucket = bucket;
    } catch (error) {
      bucket.close();
      throw error;
    }
  }

  protected override _close(): Promise<void> {
    this.#bucket?.close();
    this.#bucket = undefined;
    return Promise.resolve();
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const taken = await this.#take(key, source, options);
    if (taken.parts !== undefined) {
      const { parts } = taken;
      try {
        options.signal?.throwIfAborted();
        return await parts.complete(options);
      } catch (error) {
        // why it failed is what the caller asks for; what cannot be removed now is found by the sweep
        await parts.abort().catch(() => undefined);
        throw error;
      }
    }
    try {
      options.signal?.throwIfAborted();
      const file = await putObject(this._bucket, key, taken.body, options);
      taken.body.release();
      return file;
    } finally {
      taken.share.end();
    }
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const taken = await this.#take(key, source, options);
    if (taken.parts === undefined) {
      const canBecomeParts = !isConditional(options) || this.capabilities.maxConditionalSize === MAX_OBJECT;
      return stageSmall(this._bucket, key, taken, options, canBecomeParts);
    }
    const { parts } = taken;
    return { size: parts.size, commit: () => parts.complete(options), abort: () => parts.abort() };
  }

  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    return readObject(this._bucket, key, options);
  }

  protected override async _info(key: string, { signal }: SignalOptions): Promise<StoredFile> {
    const found = await headObject(this._bucket, key, signal);
    if (found === undefined) throw new FileNotFoundError(key);
    return withSize(found);
  }

  protected override async _exists(key: string, { signal }: SignalOptions): Promise<boolean> {
    return (await headObject(this._bucket, key, signal)) !== undefined;
  }

  protected override async _delete(key: string, { force, ifMatch, signal }: ResolvedDeleteOptions): Promise<void> {
    this.#expectDecided(ifMatch !== undefined, this.capabilities.compareAndSwap, 'compareAndSwap');
    // S3 deletes what is not there without a word
    if (!force && !(await this._exists(key, { signal }))) throw new FileNotFoundError(key);
    const { sdk, target } = this._bucket;
    const condition = ifMatch === undefined ? undefined : { IfMatch: `"${ifMatch}"` };
    const input = { ...target, ...condition, Key: this._bucket.name(key) };
    await this._bucket.send(new sdk.DeleteObjectCommand(input), { signal });
  }

  protected override _deleteMany(keys: readonly string[], { signal }: SignalOptions): Promise<DeleteOutcome> {
    return deleteObjects(this._bucket, keys, signal);
  }

  protected override _list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile> {
    return listObjects(this._bucket, prefix, options);
  }

  protected override _listEntries(prefix: string, options: ResolvedListEntriesOptions): AsyncIterable<ListEntry> {
    return listLevel(this._bucket, prefix, options);
  }

  protected override async _copy(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    if (options.ifNoneMatch === undefined) return copyObject(this._bucket, source, destination, options);
    // no server at hand decides a condition on CopyObject, so the copy is a put
    const { conditionalCopy, maxConditionalSize } = this.capabilities;
    this.#expectDecided(true, conditionalCopy, 'conditionalCopy');
    const file = await sourceOf(this._bucket, source, options.signal);
    if (await this._exists(destination, pickSignal(options))) throw new FileExistsError(destination);
    if (file.size > this.#settings.partSize && maxConditionalSize === MAX_OBJECT) {
      return copyIfNew(this._bucket, file, destination, options.signal);
    }
    if (file.size > maxConditionalSize) throw conditionalSizeError(maxConditionalSize);
    const opened = await readObject(this._bucket, source, pickSignal(options));
    return copyThrough(opened, options.signal, (stream, attributes) =>
      this._put(destination, stream, { ...attributes, ...options }),
    );
  }

  protected override _url(key: string, options: ResolvedUrlOptions): Promise<string> {
    return signGet(this._bucket, key, options);
  }

  protected override _uploadUrl(key: string, options: ResolvedUploadUrlOptions): Promise<SignedUpload> {
    return signUpload(this._bucket, key, options);
  }

  protected override _mapError(error: unknown, key: string | undefined): StorageError | undefined {
    return errorOf(error, this.#settings.bucket, key);
  }

  /**
   * Asks whether the bucket can be used as the storage is set up.
   *
   * @throws StorageError whose message says in one sentence what is wrong: no bucket, another region, wrong credentials, a clock that is off, no permission
   */
  async verify(): Promise<void> {
    await this._call(() => verifyBucket(this._bucket));
  }

  /**
   * Gives up uploads in parts that nobody goes on with, such as those of killed processes: S3 keeps them, invisible and paid for, until somebody
   * does. A lifecycle rule of the bucket does the same.
   *
   * @example
   * await storage.sweep({ olderThan: '1d' });
   */
  async sweep(options: SweepOptions): Promise<SweepReport> {
    return this._call(() => sweepUploads(this._bucket, options));
  }

  /** Bytes that uploads hold in memory now; at most `maxBufferedBytes`, and a chunk of each that is under way. */
  get bufferedBytes(): number {
    return this.#budget.used;
  }

  /** @internal */
  protected get _bucket(): Bucket {
    if (this.#bucket === undefined) throw new StorageError('The storage is not open.');
    return this.#bucket;
  }

  #take(key: string, source: Readable, options: ResolvedPutOptions): ReturnType<UploadTaker['run']> {
    const { createOnly, compareAndSwap, maxConditionalSize } = this.capabilities;
    this.#expectDecided(options.ifNoneMatch !== undefined, createOnly, 'createOnly');
    this.#expectDecided(options.ifMatch !== undefined, compareAndSwap, 'compareAndSwap');
    const taker = new UploadTaker(this._bucket, this.#budget, key, options, maxConditionalSize);
    return options.bytes === undefined ? taker.run(source) : taker.runBytes(options.bytes);
  }

  /** Once more: a call that came before the probe was let in by what was taken for granted. */
  #expectDecided(asked: boolean, declared: boolean, capability: keyof Capabilities): void {
    if (!asked || declared) return;
    throw new UnsupportedOperationError(
      `This server does not decide the condition (capabilities.${capability} is false).`,
    );
  }

  #capabilitiesOf({ createOnly, multipart, compareAndSwap }: S3Conditions): Capabilities {
    const { prefix, partSize } = this.#settings;
    return defineCapabilities({
      urls: 'signed',
      uploadUrls: true,
      stage: 'native',
      createOnly,
      compareAndSwap,
      conditionalCopy: createOnly,
      lastModified: 'seconds',
      listsAttributes: false,
      persistent: true,
      maxKeyBytes: MAX_KEY_BYTES - Buffer.byteLength(prefix),
      maxSize: MAX_OBJECT,
      maxConditionalSize: multipart ? MAX_OBJECT : partSize,
    });
  }
}
