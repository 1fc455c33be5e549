import { addAbortSignal, type Readable } from 'node:stream';
import {
  attributesOf,
  BaseStorage,
  defineCapabilities,
  encodeKey,
  FileNotFoundError,
  freshKey,
  type ListEntry,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StorageError,
  type StoredFile,
} from '../../contract/index.js';
import { resolveOlderThan } from '../../contract/options/older-than.js';
import { encodeAttributes } from './attributes-text.js';
import { Disk } from './disk.js';
import { storageErrorOf } from './file-errors.js';
import { FileReader } from './file-reader.js';
import {
  checkFileSystemStorageConfig,
  type FileSystemSettings,
  type FileSystemStorageConfig,
} from './filesystem-storage-config.js';
import type { FileSystemCheckReport, FileSystemSweepOptions, FileSystemSweepReport } from './maintenance.js';
import type { StoredObject } from './object-tree.js';
import type { CommitConditions } from './object-writer.js';
import { openStorage, type OpenStorage } from './open-storage.js';
import type { TemporaryFile } from './temporary-files.js';
import { TreeWalk, type FolderToRead, type WalkItem, type WalkOptions } from './tree-walk.js';

/**
 * Keeps objects as plain files below a folder, for one or several processes of one machine.
 *
 * A new object lies at its ordinary path, where a web server or a backup sees it, if that is free at that moment; otherwise it lies
 * in the private folder `.storages` until it is deleted. A file that is dropped in by hand is an object with default attributes.
 * `ifMatch` and `ifNoneMatch` hold among processes of this library on one machine; a stranger's write between check and rename can
 * be lost. Attributes survive copies that keep mode and nanosecond times (`cp -a`). File systems without sub-second times or without
 * hard links are refused. On tmpfs a listing may miss a key that is being overwritten. A stopped owner of a lock blocks that key's
 * writers: `TimeoutError` after 30 seconds.
 *
 * @example
 * const storage = new FileSystemStorage({ root: './var/uploads' });
 */
export class FileSystemStorage extends BaseStorage {
  override readonly capabilities;
  protected override readonly _readsSourceDirectly = true;

  /** @internal Tests put one here whose calls fail. */
  protected readonly _disk: Disk = new Disk();
  readonly #settings: FileSystemSettings;
  #opened: OpenStorage | undefined;

  /** @throws ConfigurationError that names the field */
  constructor(config: FileSystemStorageConfig) {
    const settings = checkFileSystemStorageConfig(config);
    super({ keys: settings.keys, name: settings.name });
    this.#settings = settings;
    this.capabilities = defineCapabilities({
      urls: settings.baseUrl === undefined ? 'none' : 'public',
      stage: 'native',
      createOnly: true,
      compareAndSwap: true,
      conditionalCopy: true,
      etagCoversAttributes: true,
      persistent: true,
    });
  }

  protected override async _open(): Promise<void> {
    this.#opened = await openStorage(this._disk, this.#settings);
  }

  protected override async _close(): Promise<void> {
    await this.#opened?.close();
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const { temporaries, writer } = this.#open;
    const marked = encodeAttributes(key, options) !== undefined;
    const conditions = conditionsOf(options, marked, options.signal);
    const temporary = await temporaries.write(options.bytes ?? source, marked, !conditions.fresh);
    try {
      return await writer.commit(key, temporary, options, conditions);
    } catch (error) {
      await temporaries.remove(temporary.path);
      throw error;
    }
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const { temporaries, writer } = this.#open;
    const marked = encodeAttributes(key, options) !== undefined;
    // The signal was for the staging.
    const conditions = conditionsOf(options, marked, undefined);
    const temporary = await temporaries.write(options.bytes ?? source, marked, !conditions.fresh);
    // without the bytes: an upload of many files stages all of them before it commits the first
    const attributes = attributesOf(options);
    return {
      size: Number(temporary.generation.size),
      commit: () => writer.commit(key, temporary, attributes, conditions),
      abort: () => temporaries.remove(temporary.path),
    };
  }

  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    return this.#open.reader.get(key, options);
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return this.#open.reader.getBytes(key, options);
  }

  protected override _info(key: string): Promise<StoredFile> {
    return this.#open.reader.info(key);
  }

  protected override _exists(key: string): Promise<boolean> {
    return this.#open.reader.exists(key);
  }

  protected override async _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    const deleted = await this.#open.writer.delete(key, options);
    if (!deleted && !options.force) throw new FileNotFoundError(key);
  }

  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    for await (const item of this.#walk({ ...options, prefix })) {
      const file = item.kind === 'object' ? await this.#describe(item.key, item.object) : undefined;
      if (file !== undefined) yield file;
    }
  }

  protected override _listEntries(prefix: string, options: ResolvedListEntriesOptions): AsyncIterable<ListEntry> {
    const { delimiter } = options;
    return delimiter === '/' ? this.#entries({ ...options, prefix, delimiter }) : super._listEntries(prefix, options);
  }

  async *#entries(options: WalkOptions): AsyncGenerator<ListEntry> {
    for await (const item of this.#walk(options)) {
      if (item.kind === 'group') {
        yield { kind: 'prefix', prefix: item.prefix };
      } else {
        const file = await this.#describe(item.key, item.object);
        if (file !== undefined) yield { kind: 'file', file };
      }
    }
  }

  async *#walk(options: WalkOptions): AsyncGenerator<WalkItem> {
    const { layout, folders, generations } = this.#open;
    const overflow: FolderToRead = { tree: 'overflow', path: layout.overflowTree, head: '' };
    const start: FolderToRead[] = [];
    const head = options.prefix.slice(0, options.prefix.lastIndexOf('/') + 1);
    const path = head === '' ? layout.root : layout.naturalFolder(head);
    // A folder that a link leads to is outside.
    if (path !== undefined && (await folders.state(path)) === 'there') start.push({ tree: 'natural', path, head });
    yield* new TreeWalk(this._disk, layout, generations, options).items([...start, overflow]);
  }

  /**
   * Looks at everything below the root: objects whose attributes are missing or damaged, attributes without an object, what killed
   * processes left, and what is none of this library's. It changes nothing and may run beside readers and writers; where something looks
   * wrong it takes the lock of that key for a moment. For a health check, or after a restore.
   *
   * @throws PermissionError for a folder that this process may not read
   * @example
   * const { ok, problems } = await storage.check();
   */
  async check(): Promise<FileSystemCheckReport> {
    return this._call(() => this.#open.check());
  }

  /**
   * Removes what killed processes left, as every start does, and attributes that have had no object for longer than `olderThan`: a file
   * that was removed by hand leaves them. It never touches what a living process has staged, nor what is none of this library's.
   *
   * @throws InvalidArgumentError for an `olderThan` that is no duration
   * @example
   * await storage.sweep({ olderThan: '1d' });
   */
  async sweep(options: FileSystemSweepOptions): Promise<FileSystemSweepReport> {
    return this._call(async () => this.#open.sweep(resolveOlderThan(options)));
  }

  /** @returns `undefined` for an object that was deleted meanwhile */
  async #describe(key: string, object: StoredObject): Promise<StoredFile | undefined> {
    const { reader } = this.#open;
    return (await reader.describe(key, object)) ?? (await reader.find(key));
  }

  protected override async _copy(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const { reader, temporaries, writer } = this.#open;
    const { fd, file } = await reader.open(source);
    const body = new FileReader(this._disk, fd, source, 0, file.size);
    body.on('error', () => undefined); // the writer hears it; a copy without a stream ends in the commit
    if (options.signal !== undefined) addAbortSignal(options.signal, body);
    let temporary: TemporaryFile;
    try {
      const marked = encodeAttributes(destination, file) !== undefined;
      temporary = (await temporaries.reflink(fd, file.size, marked)) ?? (await temporaries.write(body, marked));
    } finally {
      await closed(body.destroy());
    }
    try {
      return await writer.commit(destination, temporary, file, options);
    } catch (error) {
      await temporaries.remove(temporary.path);
      throw error;
    }
  }

  protected override async _move(
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    return (await this.#open.writer.move(source, destination, options)) ?? super._move(source, destination, options);
  }

  protected override _url(key: string): Promise<string> {
    const { baseUrl } = this.#settings;
    return Promise.resolve(`${baseUrl ?? 'storage://'}/${encodeKey(key)}`);
  }

  protected override _mapError(error: unknown): StorageError | undefined {
    return storageErrorOf(error);
  }

  get #open(): OpenStorage {
    if (this.#opened === undefined) throw new Error('The storage is used before it was opened.');
    return this.#opened;
  }
}

function conditionsOf(
  options: ResolvedPutOptions,
  marked: boolean,
  signal: AbortSignal | undefined,
): CommitConditions & { readonly fresh: boolean } {
  const { ifNoneMatch, ifMatch } = options;
  const fresh = options[freshKey] === true && !marked && ifNoneMatch === undefined && ifMatch === undefined;
  return { ifNoneMatch, ifMatch, signal, fresh };
}

/** Resolves once a stream has released what it held. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}
