import type { Readable } from 'node:stream';
import { keyModeOf } from '../contract/base/key-mode.js';
import { isRegistered } from '../contract/base/registered.js';
import { innerStorage } from '../contract/base/storage-changes.js';
import {
  BaseStorage,
  ConfigurationError,
  freezeStoredFile,
  isStorage,
  StorageError,
  type BaseStorageOptions,
  type Capabilities,
  type DeleteOutcome,
  type KeyMode,
  type ListEntry,
  type OpenedFile,
  type PutOptions,
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
  type StoredFileStream,
} from '../contract/index.js';
import { closeIterator } from '../contract/source/index.js';
import type { ForwardedCall, ForwardedListing } from './forwarded-call.js';
import { RelayedStream } from './relayed-stream.js';
import { restateError } from './restate-error.js';

export interface ForwardingStorageOptions extends BaseStorageOptions {
  /**
   * As for every storage. Default: that of the inner storage, which gets canonical keys only, and so could refuse none.
   */
  readonly keys?: KeyMode | undefined;
  /**
   * Whether the wrapper opens and closes its inner storage. Default: yes, unless a module has registered the inner storage by itself, and
   * opens and closes it.
   */
  readonly owns?: boolean | undefined;
}

/**
 * A storage that is made of another one. Every hook asks the inner storage by way of {@link _forward} or {@link _forwardListing}, where a
 * wrapper decides what becomes of a call; what comes back has the wrapper's own name in its errors.
 */
export abstract class ForwardingStorage extends BaseStorage {
  declare readonly capabilities: Capabilities;
  protected override readonly _readsSourceDirectly = true;
  protected override readonly _keepsMaxSize = true;
  protected override readonly _takesUploads: boolean;
  protected readonly _inner: Storage;
  readonly #owns: boolean | undefined;
  #seen: { readonly of: Capabilities; readonly own: Capabilities } | undefined;

  /** @throws ConfigurationError for what is no storage */
  constructor(inner: Storage, { owns, ...options }: ForwardingStorageOptions = {}) {
    super({ ...options, keys: options.keys ?? keyModeOf(inner) });
    const wrapper = new.target.name;
    if (!isStorage(inner)) throw new ConfigurationError(`${wrapper}: its first argument must be a storage.`);
    if (owns !== undefined && typeof owns !== 'boolean') {
      throw new ConfigurationError(`${wrapper}: owns must be true or false.`);
    }
    this._inner = inner;
    // of another class it is protected
    this._takesUploads = (inner as { _takesUploads?: unknown })._takesUploads !== false;
    this.#owns = owns;
    Object.defineProperty(this, 'capabilities', {
      get: () => this.#capabilitiesNow(),
      enumerable: true,
      configurable: true,
    });
  }

  /** @internal */
  get [innerStorage](): Storage {
    return this._inner;
  }

  // ----------------------------------------------------------------------------------------------- what a wrapper decides

  /** Makes one call. `work` takes the options of the call, or others in their place. */
  protected async _forward<T, O extends SignalOptions>(
    call: ForwardedCall<T, O>,
    work: (options: O) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(call.options);
    } catch (error) {
      throw this._restated(error, call.keys);
    }
  }

  /** Passes a listing on, each step a call. */
  protected async *_forwardListing<T, O extends SignalOptions>(
    call: ForwardedCall<IteratorResult<T>, O>,
    { open, own }: ForwardedListing<T, O>,
  ): AsyncGenerator<T> {
    let iterator: AsyncIterator<T> | undefined;
    let left = true;
    try {
      for (;;) {
        const result = await this._forward(call, (options) => {
          iterator ??= open(options)[Symbol.asyncIterator]();
          return iterator.next();
        });
        if (result.done === true) {
          left = false;
          return;
        }
        yield own(result.value);
      }
    } catch (error) {
      left = false;
      // not awaited: a step that hangs would let it wait for ever
      if (iterator !== undefined) void closeIterator(iterator);
      throw error;
    } finally {
      if (left) await this.#leave(call, iterator);
    }
  }

  /** The body of an object that was opened. */
  protected _relay(stream: StoredFileStream, key: string, _options: ResolvedGetOptions): Readable {
    return new RelayedStream(stream, (error) => this._restated(error, [key]));
  }

  /** What this storage can do over an inner storage that can do so much. Called again when the inner storage says otherwise. */
  protected _capabilitiesOver(inner: Capabilities): Capabilities {
    return inner;
  }

  protected _innerKey(key: string): string {
    return key;
  }

  protected _ownKey(innerKey: string): string {
    return innerKey;
  }

  /** An error of the inner storage without that storage's name and operation: the base class gives its own. */
  protected _restated(error: unknown, _keys: readonly string[]): StorageError {
    return error instanceof StorageError
      ? restateError(error, { storage: undefined, operation: undefined })
      : new StorageError('The storage failed; its own error is the cause.', { cause: error });
  }

  // ---------------------------------------------------------------------------------------------------------------- hooks

  protected override async _open(): Promise<void> {
    const inner = this._inner as { open?: () => Promise<void> };
    if (!this.#ownsInner() || typeof inner.open !== 'function') return;
    await this._forward({ operation: 'open', keys: [], options: {} }, async () => inner.open?.());
  }

  protected override async _close(): Promise<void> {
    if (this.#ownsInner()) {
      await this._forward({ operation: 'close', keys: [], options: {} }, () => this._inner.close());
    }
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const put = (given: PutOptions): Promise<StoredFile> =>
      this._inner.put(this._innerKey(key), options.bytes ?? source, given);
    return this.#ownFile(await this.#reading('put', key, source, options, put));
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const stage = (given: PutOptions): Promise<StagedFile> =>
      this._inner.stage(this._innerKey(key), options.bytes ?? source, given);
    const staged = await this.#reading('stage', key, source, options, stage, (late) => late.abort());
    const step = { keys: [key], options: {} };
    return {
      size: staged.size,
      commit: async () => this.#ownFile(await this._forward({ operation: 'commit', ...step }, () => staged.commit())),
      abort: () => this._forward({ operation: 'abort', ...step }, () => staged.abort()),
    };
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const discard = (late: StoredFileStream): unknown => late.on('error', () => undefined).destroy();
    const stream = await this._forward({ operation: 'get', keys: [key], options, discard }, (given) =>
      this._inner.get(this._innerKey(key), given),
    );
    return { file: this.#ownFile(stream.file), range: stream.range, body: this._relay(stream, key, options) };
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return this._forward({ operation: 'getBytes', keys: [key], options }, (given) =>
      this._inner.getBytes(this._innerKey(key), given),
    );
  }

  protected override async _info(key: string, options: SignalOptions): Promise<StoredFile> {
    const file = await this._forward({ operation: 'info', keys: [key], options }, (given) =>
      this._inner.info(this._innerKey(key), given),
    );
    return this.#ownFile(file);
  }

  protected override _exists(key: string, options: SignalOptions): Promise<boolean> {
    return this._forward({ operation: 'exists', keys: [key], options }, (given) =>
      this._inner.exists(this._innerKey(key), given),
    );
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return this._forward({ operation: 'delete', keys: [key], options }, (given) =>
      this._inner.delete(this._innerKey(key), given),
    );
  }

  protected override async _deleteMany(keys: readonly string[], options: SignalOptions): Promise<DeleteOutcome> {
    const innerKeys = keys.map((key) => this._innerKey(key));
    // a list of keys is not what an error is about
    const report = await this._forward({ operation: 'deleteMany', keys: [], options }, (given) =>
      this._inner.deleteMany(innerKeys, given),
    );
    return {
      deleted: report.deleted.map((key) => this._ownKey(key)),
      failed: report.failed.map(({ key: innerKey, error }) => {
        const key = this._ownKey(innerKey);
        return { key, error: this._restated(error, [key]) };
      }),
    };
  }

  protected override _list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile> {
    return this._forwardListing<StoredFile, ResolvedListOptions>(
      { operation: 'list', keys: [], options },
      {
        open: (given) => this._inner.list(this._innerKey(prefix), this.#from(given)),
        own: (file) => this.#ownFile(file),
        placeOf: ({ key }) => key,
      },
    );
  }

  protected override _listEntries(prefix: string, options: ResolvedListEntriesOptions): AsyncIterable<ListEntry> {
    return this._forwardListing<ListEntry, ResolvedListEntriesOptions>(
      { operation: 'listEntries', keys: [], options },
      {
        open: (given) => this._inner.listEntries(this._innerKey(prefix), this.#from(given)),
        own: (entry) =>
          entry.kind === 'file'
            ? { kind: 'file', file: this.#ownFile(entry.file) }
            : { kind: 'prefix', prefix: this._ownKey(entry.prefix) },
        placeOf: (entry) => (entry.kind === 'file' ? entry.file.key : entry.prefix),
      },
    );
  }

  protected override async _copy(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const file = await this._forward({ operation: 'copy', keys: [source, destination], options }, (given) =>
      this._inner.copy(this._innerKey(source), this._innerKey(destination), given),
    );
    return this.#ownFile(file);
  }

  protected override async _move(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const file = await this._forward({ operation: 'move', keys: [source, destination], options }, (given) =>
      this._inner.move(this._innerKey(source), this._innerKey(destination), given),
    );
    return this.#ownFile(file);
  }

  protected override _url(key: string, options: ResolvedUrlOptions): Promise<string> {
    return this._forward({ operation: 'url', keys: [key], options }, (given) =>
      this._inner.url(this._innerKey(key), given),
    );
  }

  protected override _uploadUrl(key: string, options: ResolvedUploadUrlOptions): Promise<SignedUpload> {
    return this._forward({ operation: 'uploadUrl', keys: [key], options }, (given) =>
      this._inner.uploadUrl(this._innerKey(key), given),
    );
  }

  // -------------------------------------------------------------------------------------------------------------- private

  #ownsInner(): boolean {
    return this.#owns ?? !isRegistered(this._inner);
  }

  /** What the inner storage knows of its server it may know only once it is open. */
  #capabilitiesNow(): Capabilities {
    const of = this._inner.capabilities;
    if (this.#seen?.of !== of) this.#seen = { of, own: this._capabilitiesOver(of) };
    return this.#seen.own;
  }

  #ownFile(file: StoredFile): StoredFile {
    return freezeStoredFile({ ...file, key: this._ownKey(file.key) });
  }

  #from<O extends ResolvedListOptions>(options: O): O {
    return options.startAfter === undefined ? options : { ...options, startAfter: this._innerKey(options.startAfter) };
  }

  async #leave(
    call: Pick<ForwardedCall<unknown>, 'operation' | 'options'>,
    iterator: AsyncIterator<unknown> | undefined,
  ): Promise<void> {
    await this._forward<unknown, SignalOptions>({ ...call, keys: [] }, async () => iterator?.return?.());
  }

  /** The source is this storage's: an error of its own is named here first, and a name that is there stays. */
  async #reading<T>(
    operation: 'put' | 'stage',
    key: string,
    source: Readable,
    options: ResolvedPutOptions,
    work: (options: PutOptions) => Promise<T>,
    discard?: (late: T) => unknown,
  ): Promise<T> {
    const name = (error: unknown): void => {
      if (error instanceof StorageError) error.withContext({ operation, storage: this.name, key });
    };
    source.on('error', name);
    const call: ForwardedCall<T, PutOptions> = {
      operation,
      keys: [key],
      options: withoutChecks(options),
      ...(options.bytes === undefined ? { source } : undefined),
      ...(discard === undefined ? undefined : { discard }),
    };
    try {
      return await this._forward(call, work);
    } finally {
      source.off('error', name);
    }
  }
}

/** What is left of the options of a put: its checksum and length are held by the source, which the base class made. */
function withoutChecks(options: ResolvedPutOptions): PutOptions {
  const { checksum: _checksum, bytes: _bytes, ...rest } = options;
  return rest;
}
