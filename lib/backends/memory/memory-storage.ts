import { constants } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  BaseStorage,
  defineCapabilities,
  compareKeys,
  encodeKey,
  FileExistsError,
  FileNotFoundError,
  freezeStoredFile,
  PreconditionFailedError,
  QuotaExceededError,
  resolveRead,
  type FileAttributes,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from '../../contract/index.js';
import { checkMemoryStorageConfig, type MemoryStorageConfig } from './memory-storage-config.js';
import { MemoryReader } from './memory-reader.js';

/** Bytes are never changed once they are stored, so that a reader's snapshot costs nothing. */
export interface StoredObject {
  readonly file: StoredFile;
  readonly bytes: Buffer;
}

/**
 * Keeps objects in the memory of the process: for tests, caches and small things that may be lost.
 *
 * @example
 * const storage = new MemoryStorage({ maxBytes: 64 * 1024 * 1024 });
 */
export class MemoryStorage extends BaseStorage {
  override readonly capabilities = defineCapabilities({
    stage: 'native',
    createOnly: true,
    compareAndSwap: true,
    conditionalCopy: true,
    etagCoversAttributes: true,
    maxSize: constants.MAX_LENGTH,
  });
  protected override readonly _readsSourceDirectly = true;

  readonly #maxBytes: number;
  readonly #objects = new Map<string, StoredObject>();
  /** Every key in order; undefined after a key came or went, until the next listing. */
  #sortedKeys: readonly string[] | undefined;
  #storedBytes = 0;
  #stagedBytes = 0;
  /** Tells the etags of two storages apart. */
  readonly #id = randomUUID().slice(0, 8);
  #version = 0;

  /** @throws ConfigurationError that names the field */
  constructor(config: MemoryStorageConfig = {}) {
    const { maxBytes, keys, name } = checkMemoryStorageConfig(config);
    super({ keys, name: name ?? 'memory' });
    this.#maxBytes = maxBytes ?? Infinity;
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const staged = await this._stage(key, source, options);
    try {
      options.signal?.throwIfAborted();
      return await staged.commit();
    } catch (error) {
      await staged.abort();
      throw error;
    }
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const bytes = await this.#take(key, source, options);
    let reserved = bytes.length;
    const release = (): void => {
      this.#stagedBytes -= reserved;
      reserved = 0;
    };
    return {
      size: bytes.length,
      // Nothing here waits, so that conditions, quota and the change are one step.
      commit: () =>
        new Promise((resolve) => {
          release();
          this.#checkWrite(key, options);
          this.#checkRoom(key, bytes.length);
          resolve(this.#store(key, bytes, options));
        }),
      abort: () => {
        release();
        return Promise.resolve();
      },
    };
  }

  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    return new Promise((resolve) => {
      const { file, bytes } = this.#find(key);
      const range = resolveRead(file, options);
      const body = new MemoryReader(bytes, range?.offset ?? 0, range?.length ?? file.size);
      resolve({ file: freezeStoredFile(file), range, body });
    });
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return new Promise((resolve) => {
      const { file, bytes } = this.#find(key);
      const range = resolveRead(file, options);
      resolve(Buffer.from(range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length)));
    });
  }

  protected override _info(key: string): Promise<StoredFile> {
    return new Promise((resolve) => {
      resolve(freezeStoredFile(this.#find(key).file));
    });
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return new Promise((resolve) => {
      const found = this.#objects.get(key);
      if (found === undefined) {
        if (!options.force) throw new FileNotFoundError(key);
      } else {
        this.#checkVersion(key, found, options.ifMatch);
        this.#remove(key, found);
      }
      resolve();
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- everything is at hand; the hook's form is a generator's
  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    const keys = (this.#sortedKeys ??= [...this.#objects.keys()].sort(compareKeys));
    const { startAfter } = options;
    const after = startAfter !== undefined && compareKeys(startAfter, prefix) >= 0;
    for (let i = after ? firstAbove(keys, startAfter, true) : firstAbove(keys, prefix, false); i < keys.length; i++) {
      const key = keys[i];
      if (key?.startsWith(prefix) !== true) return;
      const found = this.#objects.get(key); // it may have gone since the keys were ordered
      if (found !== undefined) yield freezeStoredFile(found.file);
    }
  }

  protected override _copy(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return new Promise((resolve) => {
      const { file, bytes } = this.#find(source);
      this.#checkWrite(destination, options);
      this.#checkRoom(destination, bytes.length);
      resolve(this.#store(destination, bytes, file));
    });
  }

  protected override _move(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return new Promise((resolve) => {
      const found = this.#find(source);
      this.#checkWrite(destination, options);
      this.#remove(source, found);
      resolve(this.#store(destination, found.bytes, found.file));
    });
  }

  protected override _url(key: string): Promise<string> {
    return Promise.resolve(`memory:///${encodeKey(key)}`);
  }

  protected override _close(): Promise<void> {
    this.#objects.clear();
    this.#sortedKeys = undefined;
    this.#storedBytes = 0;
    return Promise.resolve();
  }

  /** What is stored now, for subclasses that look at it. The bytes are the object's own: they must not be changed. */
  protected get objects(): ReadonlyMap<string, StoredObject> {
    return this.#objects;
  }

  /** Forgets every object. */
  protected clear(): void {
    this.#objects.clear();
    this.#sortedKeys = undefined;
    this.#storedBytes = 0;
  }

  #find(key: string): StoredObject {
    const found = this.#objects.get(key);
    if (found === undefined) throw new FileNotFoundError(key);
    return found;
  }

  /** Takes a body into memory of its own, and reserves its room as it comes. */
  async #take(key: string, source: Readable, options: ResolvedPutOptions): Promise<Buffer> {
    if (options.size !== undefined) this.#checkRoom(key, options.size);
    if (options.bytes !== undefined) {
      this.#stagedBytes += options.bytes.length;
      return Buffer.from(options.bytes);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        this.#checkRoom(key, length + chunk.length, length);
        chunks.push(chunk);
        length += chunk.length;
        this.#stagedBytes += chunk.length;
      }
      // also for one chunk: it may be a small slice of a large buffer
      return Buffer.concat(chunks, length);
    } catch (error) {
      this.#stagedBytes -= length;
      throw error;
    }
  }

  /** @param reserved how many of these bytes are counted as staged already */
  #checkRoom(key: string, size: number, reserved = 0): void {
    const replaced = this.#objects.get(key)?.file.size ?? 0;
    if (this.#storedBytes - replaced + this.#stagedBytes - reserved + size > this.#maxBytes) {
      throw new QuotaExceededError(`The storage is full: it holds at most ${this.#maxBytes} bytes (maxBytes).`, {
        key,
      });
    }
  }

  #checkWrite(key: string, options: { readonly ifNoneMatch?: '*'; readonly ifMatch?: string }): void {
    const found = this.#objects.get(key);
    if (options.ifNoneMatch === '*' && found !== undefined) throw new FileExistsError(key);
    this.#checkVersion(key, found, options.ifMatch);
  }

  #checkVersion(key: string, found: StoredObject | undefined, ifMatch: string | undefined): void {
    if (ifMatch !== undefined && found?.file.etag !== ifMatch) {
      const what = found === undefined ? 'There is no file to match' : 'The file is another version than';
      throw new PreconditionFailedError(`${what} ifMatch names.`, { key });
    }
  }

  #store(key: string, bytes: Buffer, attributes: FileAttributes): StoredFile {
    const replaced = this.#objects.get(key);
    // freezeStoredFile takes a file's own fields and leaves the others
    const file = freezeStoredFile({
      ...attributes,
      key,
      size: bytes.length,
      etag: `${this.#id}-${(++this.#version).toString(36)}`,
      // a clock that was set back does not make an object older than it was
      lastModified: new Date(Math.max(Date.now(), replaced?.file.lastModified.getTime() ?? 0)),
    });
    this.#objects.set(key, { file, bytes });
    this.#storedBytes += bytes.length - (replaced?.file.size ?? 0);
    if (replaced === undefined) this.#sortedKeys = undefined;
    return freezeStoredFile(file); // the caller's own: its date can be changed
  }

  #remove(key: string, found: StoredObject): void {
    this.#objects.delete(key);
    this.#storedBytes -= found.file.size;
    this.#sortedKeys = undefined;
  }
}

/** The index of the first key at or above a string, or strictly above it. */
function firstAbove(keys: readonly string[], text: string, strictly: boolean): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareKeys(keys[middle] ?? '', text);
    if (order < 0 || (strictly && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
