import type { Readable } from 'node:stream';
import {
  FileExistsError,
  InvalidArgumentError,
  InvalidKeyError,
  SourceError,
  StorageError,
  type StorageOperation,
} from '../errors/index.js';
import { sanitizeKey, type KeyMode } from '../keys/index.js';
import { changeHold } from '../options/change-hold.js';
import type {
  CopyOptions,
  DeleteOptions,
  DeletePrefixOptions,
  GetOptions,
  ListEntriesOptions,
  ListOptions,
  MoveOptions,
  PutOptions,
  ResolvedCopyOptions,
  ResolvedPutOptions,
  SignalOptions,
  StageOptions,
  StorageData,
  UploadUrlOptions,
  UrlOptions,
} from '../options/options.js';
import {
  checkOptions,
  checkText,
  isAbortSignal,
  resolveCopyOptions,
  resolveDeleteOptions,
  resolveGetOptions,
  resolveListEntriesOptions,
  resolveListOptions,
  resolvePutOptions,
  resolveUploadUrlOptions,
  resolveUrlOptions,
} from '../options/resolve-options.js';
import { discardSource, hearErrors, openSource, type OpenedSource } from '../source/index.js';
import type {
  DeleteReport,
  ListEntry,
  SignedUpload,
  StagedFile,
  StoredFile,
  StoredFileStream,
} from '../stored-file.js';
import { abortErrorOf, onAbort } from './abort.js';
import * as defaults from './defaults.js';
import { deliverStream, openChecked } from './deliver-stream.js';
import { rememberKeyMode } from './key-mode.js';
import { Lifecycle } from './lifecycle.js';
import { isTraced, traced, tracedListing } from './operation-channel.js';
import { StagedUpload } from './staged-upload.js';
import { committed, deleted, telling } from './storage-changes.js';
import { StorageHooks, type DeleteOutcome } from './storage-hooks.js';
import { TrackedIterable } from './tracked-iterable.js';
import { AttachedSigner, signUrls, type UrlSigner } from './url-signer.js';

export interface BaseStorageOptions {
  /** Names the storage in errors and logs until a module registers it. Default: the class's name. */
  readonly name?: string | undefined;
  /** `sanitize` (default) makes a key canonical, `strict` refuses one that is not. */
  readonly keys?: KeyMode | undefined;
}

/** How the module tells a storage the name it is registered under. */
export const registerName: unique symbol = Symbol.for('nestjs-storages:register-name');

/** How many objects `deletePrefix` hands to `_deleteMany` at once: what S3 takes in one request. */
const DELETE_BATCH = 1000;

/**
 * What a backend extends. As with Node's streams, callers call `put()` and implementers write `_put()`: the public methods keep the
 * key rule, check options against the capabilities, turn every kind of body into one stream that keeps its declared size and
 * checksum, abort, report progress, wrap errors, and count calls in flight until `close()`. A hook trusts its input.
 *
 * @example
 * class MyStorage extends BaseStorage {
 *   override readonly capabilities = defineCapabilities({ persistent: true });
 *   protected async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> { ... }
 *   // _get, _info, _delete, _list, _url
 * }
 */
export abstract class BaseStorage extends StorageHooks {
  readonly #lifecycle: Lifecycle;
  readonly #keyMode: KeyMode;
  #name: string | undefined;
  #registered = false;
  #attached: AttachedSigner | undefined;

  constructor(options: BaseStorageOptions = {}) {
    super();
    const keys: unknown = options.keys;
    if (keys !== undefined && keys !== 'sanitize' && keys !== 'strict') {
      throw defaults.configurationError('keys', "'sanitize' or 'strict'");
    }
    this.#keyMode = keys ?? 'sanitize';
    rememberKeyMode(this, this.#keyMode);
    this.#name = options.name;
    this.#lifecycle = new Lifecycle(
      () => this._open?.() ?? Promise.resolve(),
      () => this._close?.() ?? Promise.resolve(),
    );
  }

  /** The registered name, or the class's name outside a module. It stands in errors. */
  get name(): string {
    return this.#name ?? this.constructor.name;
  }

  /** @internal The first registration gives the name. */
  [registerName](name: string): void {
    if (!this.#registered) this.#name = name;
    this.#registered = true;
  }

  /** @internal Signs URLs for this storage from now on; `undefined` takes the signer away. */
  [signUrls](signer: UrlSigner | undefined): void {
    this.#attached?.remove();
    this.#attached = signer === undefined ? undefined : new AttachedSigner(this, signer, this._takesUploads);
  }

  // -------------------------------------------------------------------------------------------------------------- methods

  /**
   * Connects now rather than at the first call; the module does it at start-up. After `close()` it opens the storage again, so that an
   * instance in a module serves one application after the other, as in tests.
   */
  async open(): Promise<void> {
    try {
      await this.#lifecycle.open();
    } catch (error) {
      throw this.#wrap(error, 'open', undefined, undefined);
    }
  }

  put(key: string, data: StorageData, options: PutOptions = {}): Promise<StoredFile> {
    return this.#write('put', key, data, options, (canonical, source, resolved) =>
      telling(this, this._put(canonical, source, resolved), committed, resolved[changeHold]),
    );
  }

  stage(key: string, data: StorageData, options: StageOptions = {}): Promise<StagedFile> {
    return this.#write('stage', key, data, options, async (canonical, source, resolved) => {
      const bytes = await this._stage(canonical, source, resolved);
      return new StagedUpload(this, canonical, resolved, bytes, this.#lifecycle, (error, operation) =>
        this.#wrap(error, operation, canonical, undefined),
      );
    });
  }

  get(key: string, options: GetOptions = {}): Promise<StoredFileStream> {
    return this.#onKey('get', key, options, async (canonical) => {
      const resolved = resolveGetOptions(options);
      const opened = await openChecked(this._get(canonical, resolved), resolved);
      if (options.signal?.aborted === true) {
        opened.body.on('error', () => undefined).destroy();
        throw abortErrorOf(options.signal);
      }
      return deliverStream(opened, options, this.#lifecycle, (error) =>
        this.#wrap(error, 'get', canonical, options.signal),
      );
    });
  }

  getBytes(key: string, options: GetOptions = {}): Promise<Buffer> {
    return this.#onKey('getBytes', key, options, async (canonical) => {
      const bytes = await this._getBytes(canonical, resolveGetOptions(options));
      options.onProgress?.({ transferred: bytes.length, total: bytes.length });
      return bytes;
    });
  }

  info(key: string, options: SignalOptions = {}): Promise<StoredFile> {
    return this.#onKey('info', key, options, (canonical) => this._info(canonical, defaults.pickSignal(options)));
  }

  exists(key: string, options: SignalOptions = {}): Promise<boolean> {
    return this.#onKey('exists', key, options, (canonical) => this._exists(canonical, defaults.pickSignal(options)));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<void> {
    return this.#onKey('delete', key, options, (canonical) => {
      const resolved = resolveDeleteOptions(options, this.capabilities);
      const gone = { deleted: [canonical] };
      return telling(this, this._delete(canonical, resolved), (_, at) => deleted(gone, at), resolved[changeHold]);
    });
  }

  deleteMany(keys: Iterable<string>, options: SignalOptions = {}): Promise<DeleteReport> {
    return this.#call('deleteMany', undefined, options, async () => {
      const canonical = new Set<string>();
      const failed: { key: string; error: StorageError }[] = [];
      if (
        typeof keys === 'string' ||
        typeof (keys as Partial<Iterable<string>> | null)?.[Symbol.iterator] !== 'function'
      ) {
        throw new InvalidArgumentError('deleteMany takes an array or another iterable of keys.');
      }
      for (const key of keys) {
        try {
          canonical.add(this.#canonical(key));
        } catch (error) {
          if (!(error instanceof InvalidKeyError)) throw error;
          failed.push({ key, error: this.#wrap(error, 'deleteMany', key, undefined) });
        }
      }
      if (canonical.size === 0) return { deleted: [], failed };
      const report = await this.#deleteAll('deleteMany', [...canonical], defaults.pickSignal(options));
      return { deleted: report.deleted, failed: [...failed, ...report.failed] };
    });
  }

  deletePrefix(prefix: string, options: DeletePrefixOptions = {}): Promise<DeleteReport> {
    return this.#call('deletePrefix', undefined, options, async () => {
      checkText('prefix', prefix);
      if (prefix === '' && options.all !== true) {
        throw new InvalidArgumentError(
          'The empty prefix means every file of the storage: say so with deletePrefix("", { all: true }).',
        );
      }
      const signal = defaults.pickSignal(options);
      return defaults.deleteListed(this._list(prefix, signal), DELETE_BATCH, async (keys) => {
        if (options.signal?.aborted === true) throw abortErrorOf(options.signal);
        return this.#deleteAll('deletePrefix', keys, signal);
      });
    });
  }

  list(prefix = '', options: ListOptions = {}): AsyncIterable<StoredFile> {
    return this.#listing('list', prefix, options, () => {
      const resolved = resolveListOptions(options);
      return {
        items: resolved.limit === 0 ? defaults.nothing() : this._list(prefix, resolved),
        limit: resolved.limit ?? Infinity,
      };
    });
  }

  listEntries(prefix = '', options: ListEntriesOptions = {}): AsyncIterable<ListEntry> {
    return this.#listing('listEntries', prefix, options, () => {
      const resolved = resolveListEntriesOptions(options);
      return {
        items: resolved.limit === 0 ? defaults.nothing() : this._listEntries(prefix, resolved),
        limit: resolved.limit ?? Infinity,
      };
    });
  }

  copy(source: string, destination: string, options: CopyOptions = {}): Promise<StoredFile> {
    return this.#transfer('copy', source, destination, options, (from, to, resolved) => this._copy(from, to, resolved));
  }

  move(source: string, destination: string, options: MoveOptions = {}): Promise<StoredFile> {
    return this.#transfer('move', source, destination, options, (from, to, resolved) => this._move(from, to, resolved));
  }

  url(key: string, options: UrlOptions = {}): Promise<string> {
    return this.#onKey('url', key, options, async (canonical) => {
      const resolved = resolveUrlOptions(options, this.capabilities);
      const signed = this.#attached;
      return signed?.signs(resolved) === true ? signed.signer.url(canonical, resolved) : this._url(canonical, resolved);
    });
  }

  uploadUrl(key: string, options: UploadUrlOptions): Promise<SignedUpload> {
    return this.#onKey('uploadUrl', key, options, async (canonical) => {
      const resolved = resolveUploadUrlOptions(options, this.capabilities);
      return this.#attached?.signer.uploadUrl(canonical, resolved) ?? this._uploadUrl(canonical, resolved);
    });
  }

  async close(): Promise<void> {
    try {
      await this.#lifecycle.close();
    } catch (error) {
      throw this.#wrap(error, 'close', undefined, undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Shows the class, the name and the capabilities, and nothing of the configuration. */
  toJSON(): object {
    return { storage: this.constructor.name, name: this.name, capabilities: this.capabilities };
  }

  override toString(): string {
    return `${this.constructor.name}(${this.name})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  // -------------------------------------------------------------------------------------------------------------- private

  #canonical(key: string): string {
    return sanitizeKey(key, { mode: this.#keyMode, maxBytes: this.capabilities.maxKeyBytes });
  }

  /** For a method of a backend's own: opened first, refused after `close()`, counted until it settles, its errors as those of the others. */
  protected _call<T>(work: () => Promise<T>): Promise<T> {
    return this.#settle(undefined, undefined, {}, work);
  }

  #call<T>(
    operation: StorageOperation,
    key: string | undefined,
    options: SignalOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    if (!isTraced()) return this.#settle(operation, key, options, work);
    return traced(this, operation, key, () => this.#settle(operation, key, options, work));
  }

  async #settle<T>(
    operation: StorageOperation | undefined,
    key: string | undefined,
    options: SignalOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      const refuse = (): void => {
        if (operation !== undefined) this._refuse?.(operation);
      };
      return await this.#lifecycle.runPrepared(refuse, () => {
        checkOptions(options);
        if (options.signal?.aborted === true) throw abortErrorOf(options.signal);
        return work();
      });
    } catch (error) {
      throw this.#wrap(error, operation, key, optionalSignal(options));
    }
  }

  #onKey<T>(
    operation: StorageOperation,
    key: string,
    options: SignalOptions,
    work: (canonical: string) => Promise<T>,
  ): Promise<T> {
    return this.#call(operation, key, options, () => work(this.#canonical(key)));
  }

  #write<T>(
    operation: 'put' | 'stage',
    key: string,
    data: StorageData,
    options: PutOptions,
    hook: (canonical: string, source: Readable, resolved: ResolvedPutOptions) => Promise<T>,
  ): Promise<T> {
    if (!isTraced()) return this.#settleWrite(operation, key, data, options, hook);
    return traced(this, operation, key, () => this.#settleWrite(operation, key, data, options, hook));
  }

  async #settleWrite<T>(
    operation: 'put' | 'stage',
    key: string,
    data: StorageData,
    options: PutOptions,
    hook: (canonical: string, source: Readable, resolved: ResolvedPutOptions) => Promise<T>,
  ): Promise<T> {
    let source: OpenedSource | undefined;
    let off: (() => void) | undefined;
    try {
      return await this.#lifecycle.runPrepared(
        // before the storage is open: a stream that fails meanwhile must be heard, or it ends the process
        () => {
          this._refuse?.(operation);
          checkOptions(options);
          if (options.signal?.aborted === true) throw abortErrorOf(options.signal);
          const canonical = this.#canonical(key);
          const resolved = resolvePutOptions(canonical, options, this.capabilities);
          const { size, checksum, onProgress } = options;
          const { maxSize } = this.capabilities;
          const limit = maxSize < Number.MAX_SAFE_INTEGER && !this._keepsMaxSize ? { maxSize } : undefined;
          const opened = openSource(data, { size, checksum, onProgress, ...limit }, this._readsSourceDirectly);
          source = opened;
          if (opened.size !== undefined) resolved.size = opened.size;
          if (opened.bytes !== undefined) resolved.bytes = opened.bytes;
          const { signal } = options;
          if (signal !== undefined) {
            opened.whenRead(() => {
              // its reader may be gone by then, and an error without a listener ends the process
              off ??= onAbort(signal, (error) => hearErrors(opened.stream).destroy(error));
              if (signal.aborted) hearErrors(opened.stream).destroy(abortErrorOf(signal));
            });
          }
          return { canonical, resolved, stream: opened.stream };
        },
        ({ canonical, resolved, stream }) => {
          // a hook would wait for ever for a stream that is over
          if (options.signal?.aborted === true) throw abortErrorOf(options.signal);
          if (stream.destroyed) throw stream.errored ?? new SourceError('The source closed before it had ended.');
          return hook(canonical, stream, resolved);
        },
      );
    } catch (error) {
      const failure = source?.failure(error);
      const wrapped =
        failure !== undefined && !(failure instanceof StorageError) && optionalSignal(options)?.aborted !== true
          ? new SourceError('The source of the file failed before its end; nothing was stored.', { cause: failure })
          : (failure ?? error);
      discardSource(data, source);
      throw this.#wrap(wrapped, operation, key, optionalSignal(options));
    } finally {
      off?.();
    }
  }

  #transfer(
    operation: 'copy' | 'move',
    source: string,
    destination: string,
    options: CopyOptions,
    hook: (from: string, to: string, resolved: ResolvedCopyOptions) => Promise<StoredFile>,
  ): Promise<StoredFile> {
    return this.#onKey(operation, source, options, async (from) => {
      const to = this.#canonical(destination);
      const resolved = resolveCopyOptions(options, this.capabilities);
      if (from !== to) {
        const type = operation === 'copy' ? 'copied' : 'moved';
        return telling(this, hook(from, to, resolved), (file, at) => [{ type, key: to, from, file, at }]);
      }
      const file = await this._info(from, defaults.pickSignal(options));
      if (resolved.ifNoneMatch === '*') throw new FileExistsError(to);
      return file;
    });
  }

  #listing<T extends object>(
    operation: 'list' | 'listEntries',
    prefix: string,
    options: SignalOptions,
    start: () => { items: AsyncIterable<T>; limit: number },
  ): AsyncIterable<T> {
    const checked = (): { items: AsyncIterable<T>; limit: number } => {
      checkText('prefix', prefix);
      return start();
    };
    const items = new TrackedIterable(
      checked,
      (step) => this.#settle(operation, undefined, options, step),
      () => !this.#lifecycle.closed && options.signal?.aborted !== true,
      (error) => this.#wrap(error, operation, undefined, undefined),
    );
    return tracedListing(this, operation, items);
  }

  /** The canonical key, as errors name it; one that has no canonical form as it was given. */
  #errorKey(key: unknown): string | undefined {
    if (typeof key !== 'string') return undefined;
    try {
      return sanitizeKey(key);
    } catch {
      return key;
    }
  }

  async #deleteAll(operation: StorageOperation, keys: readonly string[], signal: SignalOptions): Promise<DeleteReport> {
    const outcome = await telling<DeleteOutcome>(this, this._deleteMany(keys, signal), deleted, signal[changeHold]);
    return {
      deleted: outcome.deleted,
      failed: outcome.failed.map(({ key, error }) => ({ key, error: this.#wrap(error, operation, key, undefined) })),
    };
  }

  #wrap(
    error: unknown,
    operation: StorageOperation | undefined,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ): StorageError {
    const context = { operation, storage: this.name, key: this.#errorKey(key) };
    // What fails once the signal has fired fails because of it. A call that ended well all the same is not undone.
    if (signal?.aborted === true) {
      const aborted = error instanceof StorageError && (error.code === 'ABORTED' || error.code === 'TIMEOUT');
      return (aborted ? error : abortErrorOf(signal)).withContext(context);
    }
    const mapped = error instanceof StorageError ? error : this._mapError?.(error, context.key);
    return (
      mapped ?? new StorageError('The storage failed; its own error is the cause.', { cause: error })
    ).withContext(context);
  }
}

/** For errors about the options themselves, where they may be anything. */
function optionalSignal(options: unknown): AbortSignal | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const { signal } = options as { signal?: unknown };
  return isAbortSignal(signal) ? signal : undefined;
}
