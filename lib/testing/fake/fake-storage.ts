import { MemoryStorage, type MemoryStorageConfig } from '../../backends/memory/index.js';
import {
  freezeStoredFile,
  sanitizeKey,
  type CopyOptions,
  type DeleteOptions,
  type DeletePrefixOptions,
  type DeleteReport,
  type GetOptions,
  type ListEntriesOptions,
  type ListEntry,
  type ListOptions,
  type MoveOptions,
  type PutOptions,
  type SignalOptions,
  type SignedUpload,
  type StagedFile,
  type StageOptions,
  type StorageData,
  type StoredFile,
  type StoredFileStream,
  type UploadUrlOptions,
  type UrlOptions,
} from '../../contract/index.js';
import { withSteps } from '../staged-steps.js';
import { assertContent, assertCount, assertExists, assertMissing, type ExpectedAttributes } from './assert-stored.js';
import { CallLog, type RecordedCall } from './call-log.js';

/**
 * A storage for the tests of an application: a whole one, in memory, that also answers questions at once and remembers its calls.
 * What it holds can still be asserted after it was closed; a new test takes a new one, or calls `reset()` on one that is open.
 *
 * @example
 * const avatars = new FakeStorage();
 * await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(getStorageToken('avatars'))
 *   .useValue(avatars)
 *   .compile();
 * // ...
 * avatars.assertExists('ada.png', { contentType: 'image/png' });
 */
export class FakeStorage extends MemoryStorage {
  readonly #log = new CallLog();

  constructor(config: MemoryStorageConfig = {}) {
    super({ name: 'fake', ...config });
  }

  /** Every call so far, in order. The array is a copy, its entries show how each call ended. */
  get calls(): readonly RecordedCall[] {
    return this.#log.calls;
  }

  /** Forgets every file and every call. */
  reset(): void {
    this.clear();
    this.#log.clear();
  }

  // ----------------------------------------------------------------------------------------------------------- assertions

  /**
   * @param expected fields to compare, metadata as a whole
   * @returns the file, for a closer look
   * @throws AssertionError of `node:assert` that names what is stored
   */
  assertExists(key: string, expected: ExpectedAttributes = {}): StoredFile {
    return freezeStoredFile(assertExists(this.objects, sanitizeKey(key), expected)); // a date of the caller's own
  }

  /** @throws AssertionError of `node:assert` that names what is stored */
  assertMissing(key: string): void {
    assertMissing(this.objects, sanitizeKey(key));
  }

  /**
   * @param prefix a plain string that the counted keys begin with; default: every key
   * @throws AssertionError of `node:assert` that names what is stored
   */
  assertCount(expected: number, prefix = ''): void {
    assertCount(this.objects, expected, prefix);
  }

  /**
   * @param expected a string is compared as UTF-8
   * @throws AssertionError of `node:assert` that shows both around the first difference
   */
  assertContent(key: string, expected: string | Uint8Array): void {
    assertContent(this.objects, sanitizeKey(key), expected);
  }

  // -------------------------------------------------------------------------------------------------------------- methods

  override put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    return this.#log.record({ method: 'put', key, options }, () => super.put(key, data, options));
  }

  override async stage(key: string, data: StorageData, options?: StageOptions): Promise<StagedFile> {
    const staged = await this.#log.record({ method: 'stage', key, options }, () => super.stage(key, data, options));
    return withSteps(staged, {
      commit: (next) => this.#log.record({ method: 'commit', key, options: {} }, next),
      abort: (next) => this.#log.record({ method: 'abort', key, options: {} }, next),
    });
  }

  override get(key: string, options?: GetOptions): Promise<StoredFileStream> {
    return this.#log.record({ method: 'get', key, options }, () => super.get(key, options));
  }

  override getBytes(key: string, options?: GetOptions): Promise<Buffer> {
    return this.#log.record({ method: 'getBytes', key, options }, () => super.getBytes(key, options));
  }

  override info(key: string, options?: SignalOptions): Promise<StoredFile> {
    return this.#log.record({ method: 'info', key, options }, () => super.info(key, options));
  }

  override exists(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#log.record({ method: 'exists', key, options }, () => super.exists(key, options));
  }

  override delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#log.record({ method: 'delete', key, options }, () => super.delete(key, options));
  }

  override deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<DeleteReport> {
    const seen: string[] = [];
    return this.#log.record({ method: 'deleteMany', keys: seen, options }, () =>
      super.deleteMany(isIterable(keys) ? remember(keys, seen) : keys, options),
    );
  }

  override deletePrefix(prefix: string, options?: DeletePrefixOptions): Promise<DeleteReport> {
    return this.#log.record({ method: 'deletePrefix', prefix, options }, () => super.deletePrefix(prefix, options));
  }

  override list(prefix?: string, options?: ListOptions): AsyncIterable<StoredFile> {
    const items = super.list(prefix, options);
    return {
      [Symbol.asyncIterator]: () =>
        this.#log.recordListing({ method: 'list', prefix: prefix ?? '', options }, () => items),
    };
  }

  override listEntries(prefix?: string, options?: ListEntriesOptions): AsyncIterable<ListEntry> {
    const items = super.listEntries(prefix, options);
    return {
      [Symbol.asyncIterator]: () =>
        this.#log.recordListing({ method: 'listEntries', prefix: prefix ?? '', options }, () => items),
    };
  }

  override copy(source: string, destination: string, options?: CopyOptions): Promise<StoredFile> {
    return this.#log.record({ method: 'copy', key: source, destination, options }, () =>
      super.copy(source, destination, options),
    );
  }

  override move(source: string, destination: string, options?: MoveOptions): Promise<StoredFile> {
    return this.#log.record({ method: 'move', key: source, destination, options }, () =>
      super.move(source, destination, options),
    );
  }

  override url(key: string, options?: UrlOptions): Promise<string> {
    return this.#log.record({ method: 'url', key, options }, () => super.url(key, options));
  }

  override uploadUrl(key: string, options: UploadUrlOptions): Promise<SignedUpload> {
    return this.#log.record({ method: 'uploadUrl', key, options }, () => super.uploadUrl(key, options));
  }

  override close(): Promise<void> {
    return this.#log.record({ method: 'close', options: {} }, () => super.close());
  }

  /** What was stored outlives the storage, for the assertions of a test that closes its application first. */
  protected override _close(): Promise<void> {
    return Promise.resolve();
  }
}

function* remember(keys: Iterable<string>, seen: string[]): Generator<string> {
  for (const key of keys) {
    seen.push(key);
    yield key;
  }
}

/** What is none is refused by the call itself. */
function isIterable(value: unknown): value is Iterable<string> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
