import type { Readable } from 'node:stream';
import { defineCapabilities, type Capabilities } from '../capabilities.js';
import {
  FileNotFoundError,
  UnsupportedOperationError,
  type StorageError,
  type StorageOperation,
} from '../errors/index.js';
import type {
  ResolvedCopyOptions,
  ResolvedDeleteOptions,
  ResolvedGetOptions,
  ResolvedListEntriesOptions,
  ResolvedListOptions,
  ResolvedPutOptions,
  ResolvedUploadUrlOptions,
  ResolvedUrlOptions,
  SignalOptions,
} from '../options/options.js';
import { Storage } from '../storage.js';
import type { ListEntry, SignedUpload, StoredFile } from '../stored-file.js';
import { abortErrorOf } from './abort.js';
import * as defaults from './defaults.js';
import { openChecked, type OpenedFile } from './deliver-stream.js';
import { stageBySpool } from './spool.js';
import type { StagedBytes } from './staged-upload.js';

/** What became of each key, with the backend's own errors: the caller turns them into storage errors. */
export interface DeleteOutcome {
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly key: string; readonly error: unknown }[];
}

/**
 * What a backend writes: six hooks it must have, the others where it can do better than the default. Every hook trusts its input;
 * its comment says what is guaranteed to it and what it owes. `BaseStorage` calls them.
 */
export abstract class StorageHooks extends Storage {
  readonly capabilities: Capabilities = defineCapabilities();

  /**
   * Whether `_put` and `_stage` take a caller's Node stream as it is where nothing has to be checked on the way, which saves a stream
   * object per put. Such a hook never destroys the source with an error of its own (so that a source's failure can be told from a
   * backend's), and treats a source that closes before its end as failed.
   */
  protected readonly _readsSourceDirectly: boolean = false;

  /** Whether `_put` and `_stage` themselves refuse a body that is longer than `capabilities.maxSize`, which saves a stream object per put. */
  protected readonly _keepsMaxSize: boolean = false;

  /** Whether upload URLs may be signed for this storage by the module. A storage that takes no puts says no. */
  protected readonly _takesUploads: boolean = true;

  /**
   * Throws what refuses a method of this storage altogether: before its arguments are looked at, the storage is opened or a source is read.
   * Default: none is refused.
   */
  protected _refuse?(operation: StorageOperation): void;

  /**
   * Stores an object, all or nothing.
   *
   * Guaranteed: the key is canonical; attributes are complete and checked; conditions are declared by the capabilities; the source
   * yields Buffers only, fails rather than end with other bytes than were declared, and fails when the signal fires. When the hook
   * rejects, the source is destroyed by the caller.
   * Owed: the returned file is what `_info` then returns; nothing of a failed put is left; what is acknowledged is flushed, which no suite
   * can see without cutting the power.
   */
  protected abstract _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile>;

  /**
   * Opens an object. Guaranteed: the key is canonical; range and conditions are well-formed, and `resolveRead(file, options)` decides
   * them. Owed: `FileNotFoundError` when there is none; `file` and `body` are of one snapshot; `body` fails rather than end early,
   * and destroying it releases whatever it holds.
   */
  protected abstract _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile>;

  /** Guaranteed: the key is canonical. Owed: `FileNotFoundError` when there is none. */
  protected abstract _info(key: string, options: SignalOptions): Promise<StoredFile>;

  /**
   * Guaranteed: the key is canonical; `ifMatch` only where `compareAndSwap` is declared. Owed: `FileNotFoundError` when there is no
   * object, unless `force`.
   */
  protected abstract _delete(key: string, options: ResolvedDeleteOptions): Promise<void>;

  /**
   * Guaranteed: the prefix is a plain string of well-formed Unicode; `limit` is at least 1 and enforced by the caller, who ends the
   * iterator. Owed: UTF-8 byte order (`compareKeys`), only keys after `startAfter`.
   */
  protected abstract _list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile>;

  /** Guaranteed: the key is canonical; `expiresIn` and its fellows only where `urls` is `signed`. Owed: no path of the machine. */
  protected abstract _url(key: string, options: ResolvedUrlOptions): Promise<string>;

  /** Once, before the first call; again if it failed. Default: nothing. */
  protected _open?(): Promise<void>;

  /** Once, after the last call has settled and every stream and staged file is released; not if it was never opened. Default: nothing. */
  protected _close?(): Promise<void>;

  /** As `_put`, but nothing is visible until `commit`, which decides the conditions. Default: a spool on the local disk, then `_put`. */
  protected _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    return stageBySpool(source, options, (stream, resolved) => this._put(key, stream, resolved));
  }

  /** Turns a backend's own error into a storage error, in one place; `undefined` leaves it to the base class. Default: none. */
  protected _mapError?(error: unknown, key: string | undefined): StorageError | undefined;

  /** Default: `_info`, where only a `FileNotFoundError` means false. */
  protected async _exists(key: string, options: SignalOptions): Promise<boolean> {
    try {
      await this._info(key, options);
      return true;
    } catch (error) {
      if ((this._mapError?.(error, key) ?? error) instanceof FileNotFoundError) return false;
      throw error;
    }
  }

  /** Default: drains `_get`. */
  protected async _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return defaults.drain(await openChecked(this._get(key, options), options), options.signal);
  }

  /**
   * Guaranteed: the two keys differ. Default: `_get` piped into `_put`, which gets `ifNoneMatch`: a backend that declares `createOnly` may
   * declare `conditionalCopy` too.
   */
  protected async _copy(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    const opened = await this._get(source, defaults.pickSignal(options));
    return defaults.copyThrough(opened, options.signal, (stream, attributes) =>
      this._put(destination, stream, { ...attributes, ...options }),
    );
  }

  /** The last move of each source. One begins when the one before has ended: of two at once each could undo the other's copy. */
  readonly #moves = new Map<string, Promise<StoredFile>>();

  /** Guaranteed: the two keys differ. Default: `_copy`, then `_delete` of the source; moves of one source one after the other. */
  protected async _move(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    const move = (): Promise<StoredFile> => this.#copyAndDelete(source, destination, options);
    const before = this.#moves.get(source);
    const moved = before === undefined ? move() : before.then(move, move);
    this.#moves.set(source, moved);
    try {
      return await moved;
    } finally {
      if (this.#moves.get(source) === moved) this.#moves.delete(source);
    }
  }

  async #copyAndDelete(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    // it may have waited
    if (options.signal?.aborted === true) throw abortErrorOf(options.signal);
    const compareAndSwap = this.capabilities.compareAndSwap;
    const before = compareAndSwap ? await this._info(source, options) : undefined;
    const file = await this._copy(source, destination, options);
    try {
      await this._delete(source, { force: false, ...(before === undefined ? undefined : { ifMatch: before.etag }) });
    } catch (error) {
      const mapped = this._mapError?.(error, source) ?? error;
      if (mapped instanceof FileNotFoundError) {
        // Another move took the source: this one has lost, and what it made goes again.
        await this._delete(destination, { force: true, ...(compareAndSwap ? { ifMatch: file.etag } : undefined) });
        throw mapped;
      }
      throw defaults.sourceNotRemoved(source, destination, mapped);
    }
    return file;
  }

  /** Guaranteed: the delimiter is not empty. Default: every key of `_list`, grouped. */
  protected _listEntries(prefix: string, options: ResolvedListEntriesOptions): AsyncIterable<ListEntry> {
    return defaults.groupEntries(prefix, options, (from) => this._list(prefix, from));
  }

  /** Guaranteed: canonical keys, each once, at most 1,000 from `deletePrefix`. Owed: a result for each key. Default: `_delete`, a few at a time. */
  protected _deleteMany(keys: readonly string[], options: SignalOptions): Promise<DeleteOutcome> {
    return defaults.deleteEach(keys, options.signal, (key) =>
      this._delete(key, { force: true, ...defaults.pickSignal(options) }),
    );
  }

  /** Called only where `uploadUrls` is declared. */
  protected _uploadUrl(_key: string, _options: ResolvedUploadUrlOptions): Promise<SignedUpload> {
    return Promise.reject(new UnsupportedOperationError('This storage declares uploadUrls and has no _uploadUrl().'));
  }
}
