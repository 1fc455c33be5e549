import type { Readable } from 'node:stream';
import {
  BaseStorage,
  ConfigurationError,
  encodeKey,
  freezeStoredFile,
  InvalidKeyError,
  isStorage,
  sanitizeKey,
  StorageError,
  type BaseStorageOptions,
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
  type StagedFile,
  type Storage,
  type StoredFile,
} from '../contract/index.js';
import { RelayedStream } from './relayed-stream.js';
import { restateError } from './restate-error.js';

export type ScopedStorageOptions = BaseStorageOptions;

/**
 * A view of the objects of another storage whose keys begin with a prefix. Callers see keys without it, in files and in errors, and no key
 * reaches what lies outside. It promises what the inner storage promises. The inner storage
 * belongs to whoever made it: a view neither opens nor closes it.
 *
 * @example
 * const avatars = new ScopedStorage(uploads, 'avatars/');
 * await avatars.put('ada.png', bytes); // avatars/ada.png in uploads
 */
export class ScopedStorage extends BaseStorage {
  override readonly capabilities: Capabilities;
  protected override readonly _readsSourceDirectly = true;
  readonly prefix: string;
  readonly #inner: Storage;
  /** How a key of this view begins where a message of the inner storage quotes it. */
  readonly #quotedPrefix: string;

  /**
   * @param prefix canonical, as the part of a key before its last `/`; that `/` may be left out
   * @throws ConfigurationError for what is no storage, for a prefix that is empty, not canonical or leaves no room for a key
   */
  constructor(inner: Storage, prefix: string, options: ScopedStorageOptions = {}) {
    super(options);
    if (!isStorage(inner)) throw new ConfigurationError('ScopedStorage: its first argument must be a storage.');
    this.#inner = inner;
    this.prefix = canonicalPrefix(prefix);
    this.#quotedPrefix = JSON.stringify(this.prefix).slice(0, -1);
    const maxKeyBytes = inner.capabilities.maxKeyBytes - Buffer.byteLength(this.prefix);
    if (maxKeyBytes < 1) {
      throw new ConfigurationError(
        `ScopedStorage: prefix must leave room for a key; the storage takes ${inner.capabilities.maxKeyBytes} bytes.`,
      );
    }
    this.capabilities = Object.freeze({ ...inner.capabilities, maxKeyBytes });
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const put = (): Promise<StoredFile> =>
      this.#inner.put(this.#innerKey(key), options.bytes ?? source, withoutChecks(options));
    return this.#file(await this.#reading(source, 'put', key, put));
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const stage = (): Promise<StagedFile> =>
      this.#inner.stage(this.#innerKey(key), options.bytes ?? source, withoutChecks(options));
    const staged = await this.#reading(source, 'stage', key, stage);
    return {
      size: staged.size,
      commit: async () => this.#file(await this.#restating(() => staged.commit(), key)),
      abort: () => this.#restating(() => staged.abort(), key),
    };
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const stream = await this.#restating(() => this.#inner.get(this.#innerKey(key), options), key);
    return {
      file: this.#file(stream.file),
      range: stream.range,
      body: new RelayedStream(stream, (error) => this.#restated(error, key)),
    };
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return this.#restating(() => this.#inner.getBytes(this.#innerKey(key), options), key);
  }

  protected override async _info(key: string, options: SignalOptions): Promise<StoredFile> {
    return this.#file(await this.#restating(() => this.#inner.info(this.#innerKey(key), options), key));
  }

  protected override _exists(key: string, options: SignalOptions): Promise<boolean> {
    return this.#restating(() => this.#inner.exists(this.#innerKey(key), options), key);
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return this.#restating(() => this.#inner.delete(this.#innerKey(key), options), key);
  }

  protected override async _deleteMany(keys: readonly string[], options: SignalOptions): Promise<DeleteOutcome> {
    const innerKeys = keys.map((key) => this.#innerKey(key));
    const report = await this.#restating(() => this.#inner.deleteMany(innerKeys, options));
    return {
      deleted: report.deleted.map((key) => this.#ownKey(key)),
      failed: report.failed.map(({ key, error }) => ({
        key: this.#ownKey(key),
        error: this.#restated(error, this.#ownKey(key)),
      })),
    };
  }

  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    try {
      for await (const file of this.#inner.list(this.#innerKey(prefix), this.#from(options))) yield this.#file(file);
    } catch (error) {
      throw this.#restated(error);
    }
  }

  protected override async *_listEntries(
    prefix: string,
    options: ResolvedListEntriesOptions,
  ): AsyncGenerator<ListEntry> {
    try {
      for await (const entry of this.#inner.listEntries(this.#innerKey(prefix), this.#from(options))) {
        yield entry.kind === 'file'
          ? { kind: 'file', file: this.#file(entry.file) }
          : { kind: 'prefix', prefix: this.#ownKey(entry.prefix) };
      }
    } catch (error) {
      throw this.#restated(error);
    }
  }

  protected override async _copy(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const [from, to] = [this.#innerKey(source), this.#innerKey(destination)];
    return this.#file(await this.#restating(() => this.#inner.copy(from, to, options), source, destination));
  }

  protected override async _move(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const [from, to] = [this.#innerKey(source), this.#innerKey(destination)];
    return this.#file(await this.#restating(() => this.#inner.move(from, to, options), source, destination));
  }

  protected override async _url(key: string, options: ResolvedUrlOptions): Promise<string> {
    const url = await this.#restating(() => this.#inner.url(this.#innerKey(key), options), key);
    const innerPath = encodeKey(this.#innerKey(key));
    // a pseudo-URL only names the object, so it does it as this view does; one that works must lead to where the object is
    const pseudo = this.capabilities.urls === 'none' && url.endsWith(innerPath);
    return pseudo ? url.slice(0, -innerPath.length) + encodeKey(key) : url;
  }

  protected override _uploadUrl(key: string, options: ResolvedUploadUrlOptions): Promise<SignedUpload> {
    return this.#restating(() => this.#inner.uploadUrl(this.#innerKey(key), options), key);
  }

  #innerKey(key: string): string {
    return this.prefix + key;
  }

  #ownKey(innerKey: string): string {
    return innerKey.startsWith(this.prefix) ? innerKey.slice(this.prefix.length) : innerKey;
  }

  #file(file: StoredFile): StoredFile {
    return freezeStoredFile({ ...file, key: this.#ownKey(file.key) });
  }

  #from<T extends ResolvedListOptions>(options: T): T {
    return options.startAfter === undefined ? options : { ...options, startAfter: this.#innerKey(options.startAfter) };
  }

  /** The source is this view's: an error of its own is named here first, and a name that is there stays. */
  async #reading<T>(source: Readable, operation: 'put' | 'stage', key: string, work: () => Promise<T>): Promise<T> {
    const name = (error: unknown): void => {
      if (error instanceof StorageError) error.withContext({ operation, storage: this.name, key });
    };
    source.on('error', name);
    try {
      return await this.#restating(work, key);
    } finally {
      source.off('error', name);
    }
  }

  async #restating<T>(work: () => Promise<T>, ...keys: string[]): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#restated(error, ...keys);
    }
  }

  /** An error of the inner storage with this view's keys, and without the inner storage's name and operation: the base class gives its own. */
  #restated(error: unknown, ...keys: string[]): Error {
    if (!(error instanceof StorageError)) {
      return new StorageError('The storage failed; its own error is the cause.', { cause: error });
    }
    // messages quote keys; a backend that does not is met by the keys of the call
    let message = error.message.replaceAll(this.#quotedPrefix, '"');
    for (const key of keys) message = message.replaceAll(this.#innerKey(key), key);
    const key = error.key === undefined ? undefined : this.#ownKey(error.key);
    return restateError(error, { message, key, storage: undefined, operation: undefined });
  }
}

/** What is left of the options of a put: its checksum and length are held by the source, which the base class made. */
function withoutChecks(options: ResolvedPutOptions): ResolvedPutOptions {
  const { checksum: _checksum, bytes: _bytes, ...rest } = options;
  return rest;
}

/** @throws ConfigurationError */
function canonicalPrefix(prefix: unknown): string {
  if (typeof prefix !== 'string' || prefix === '') {
    throw new ConfigurationError("ScopedStorage: prefix must be a text such as 'avatars/'.");
  }
  const folder = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  try {
    sanitizeKey(folder, { mode: 'strict' });
    return `${folder}/`;
  } catch (error) {
    if (!(error instanceof InvalidKeyError)) throw error;
    throw new ConfigurationError(
      `ScopedStorage: prefix must be canonical, as a key is, such as 'avatars/': ${JSON.stringify(prefix)} is not.`,
      { cause: error },
    );
  }
}
