import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, resolve as resolvePath } from 'node:path';
import type { Readable } from 'node:stream';
import {
  attributesOf,
  BaseStorage,
  defineCapabilities,
  encodeKey,
  FileNotFoundError,
  InvalidArgumentError,
  resolveRead,
  type Checksum,
  type DeleteOutcome,
  type ListEntry,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from '../../contract/index.js';
import { PagedItems } from '../../contract/base/paged-items.js';
import { BytesReader, ChunkReader } from './chunk-reader.js';
import { DatabaseThreads } from './database-threads.js';
import { fileOf } from './file-of-head.js';
import { listLevel, pagesOfFiles } from './listings.js';
import type { BackupOptions, CheckReport, CompactReport } from './maintenance.js';
import type { Conditions } from './protocol.js';
import { checkSQLiteStorageConfig, type SQLiteSettings, type SQLiteStorageConfig } from './sqlite-storage-config.js';
import { throwRefusal } from './storage-errors.js';
import { UploadWriter, type Uploaded } from './upload-writer.js';

/** Pages that a step of `compact` gives back, while puts wait: 8 MiB. */
const PAGES_OF_A_STEP = 512;

/**
 * Keeps all objects in one SQLite file, by better-sqlite3 in threads of its own: the event loop does no SQL and waits for no disk.
 *
 * Bodies lie in rows, larger ones in chunks, so that a stream of any length passes in the memory of two of them. A put is one transaction,
 * shared with others that come together. Several storages may share a file by their `tableName`, and several processes of one machine too.
 *
 * @example
 * const storage = new SQLiteStorage({ filename: './var/files.db' });
 */
export class SQLiteStorage extends BaseStorage {
  override readonly capabilities = defineCapabilities({
    stage: 'native',
    createOnly: true,
    compareAndSwap: true,
    conditionalCopy: true,
    etagCoversAttributes: true,
    persistent: true,
  });
  protected override readonly _readsSourceDirectly: boolean = true;

  readonly #settings: SQLiteSettings;
  /** @internal Tests end them as a crash would. */
  protected readonly _threads: DatabaseThreads;

  /** @throws ConfigurationError that names the field */
  constructor(config: SQLiteStorageConfig) {
    const settings = checkSQLiteStorageConfig(config);
    super({ keys: settings.keys, name: settings.name });
    this.#settings = settings;
    this._threads = new DatabaseThreads(settings, randomBytes(6).toString('hex'));
    if (settings.filename === ':memory:')
      this.capabilities = defineCapabilities({ ...this.capabilities, persistent: false });
  }

  protected override _open(): Promise<void> {
    return this._threads.open();
  }

  protected override _close(): Promise<void> {
    return this._threads.close();
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const upload = this.#upload(key);
    try {
      const uploaded = await this.#take(upload, source, options);
      options.signal?.throwIfAborted();
      return await this.#commit(key, uploaded, options, false);
    } catch (error) {
      await upload.discard().catch(() => undefined);
      return throwRefusal(error, { key });
    }
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const upload = this.#upload(key);
    try {
      const taken = await this.#take(upload, source, options);
      const inline = taken.bytes !== undefined;
      // Staged files may wait long, and be many: they do so in the database.
      const generation = taken.generation ?? (await upload.writeSmall(taken.bytes));
      return {
        size: taken.size,
        commit: () =>
          this.#commit(key, { size: taken.size, generation }, options, inline).catch((error: unknown) =>
            throwRefusal(error, { key }),
          ),
        abort: () => upload.discard(),
      };
    } catch (error) {
      await upload.discard().catch(() => undefined);
      return throwRefusal(error, { key });
    }
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const release = this._threads.pins.pin();
    try {
      const found = await this._threads.reader.call('read', { key });
      if (found === undefined) throw new FileNotFoundError(key);
      const file = fileOf(key, found.head);
      const range = resolveRead(file, options);
      const { offset, length } = range ?? { offset: 0, length: file.size };
      const { bytes, generation, chunkSize } = found.body;
      if (bytes !== undefined) {
        release();
        return { file, range, body: new BytesReader(Buffer.from(bytes.buffer, bytes.byteOffset + offset, length)) };
      }
      const chunk = (position: number): Promise<Uint8Array | undefined> =>
        this._threads.reader.call('chunk', { generation, position });
      return {
        file,
        range,
        body: new ChunkReader({ key, chunkSize, size: file.size, chunk, release }, offset, length),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  protected override async _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    if (isPlain(options)) {
      // all that is asked of a small object, without what is known of it
      const bytes = await this._threads.reader.call('bytes', { key });
      if (bytes !== undefined) return Buffer.from(bytes);
    }
    return super._getBytes(key, options);
  }

  protected override async _info(key: string): Promise<StoredFile> {
    const head = await this._threads.reader.call('find', { key });
    if (head === undefined) throw new FileNotFoundError(key);
    return fileOf(key, head);
  }

  protected override async _exists(key: string): Promise<boolean> {
    return (await this._threads.reader.call('find', { key })) !== undefined;
  }

  protected override async _delete(key: string, { force, ifMatch }: ResolvedDeleteOptions): Promise<void> {
    const deleted = await this._threads.writer
      .call('delete', { key, ...(ifMatch === undefined ? undefined : { ifMatch }) })
      .catch((error: unknown) => throwRefusal(error, { key }));
    if (!deleted && !force) throw new FileNotFoundError(key);
  }

  protected override async _deleteMany(keys: readonly string[]): Promise<DeleteOutcome> {
    await this._threads.writer.call('deleteMany', { keys });
    return { deleted: keys, failed: [] };
  }

  protected override _list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile> {
    return new PagedItems(pagesOfFiles(this._threads.reader, prefix, options));
  }

  protected override async *_listEntries(
    prefix: string,
    options: ResolvedListEntriesOptions,
  ): AsyncGenerator<ListEntry> {
    for await (const { name, head } of listLevel(this._threads.reader, prefix, options)) {
      yield head === undefined ? { kind: 'prefix', prefix: name } : { kind: 'file', file: fileOf(name, head) };
    }
  }

  protected override _copy(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return this.#transfer('copy', source, destination, options);
  }

  protected override _move(source: string, destination: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return this.#transfer('move', source, destination, options);
  }

  protected override _url(key: string): Promise<string> {
    return Promise.resolve(`sqlite:///${encodeKey(key)}`);
  }

  /**
   * Copies the whole database, all its storages, into another file while it is in use, as of one moment. The copy is there whole or not at
   * all, and replaces what was there. It is a database of its own, for another `SQLiteStorage`.
   *
   * @throws InvalidArgumentError where the folder of the destination is not there, or the destination is a folder or the storage's own file
   *
   * @example
   * await storage.backup('./backup/files.db', { onProgress: ({ transferred, total }) => console.log(transferred / total) });
   */
  async backup(destination: string, options: BackupOptions = {}): Promise<void> {
    const target: unknown = destination;
    if (typeof target !== 'string' || target === '' || target.includes('\0') || target === ':memory:') {
      throw new InvalidArgumentError('backup: the destination must be the path of a file.', { storage: this.name });
    }
    const path = resolvePath(target);
    if (path === this.#settings.filename) {
      throw new InvalidArgumentError('backup: the destination is the file of the storage itself.', {
        storage: this.name,
      });
    }
    const { onProgress } = options;
    await this._call(async () => {
      await expectPlaceForFile(path, target, this.name);
      await this._threads.writer.call('backup', { destination: path, given: target }, [], (transferred, total) => {
        onProgress?.({ transferred, total });
      });
    });
  }

  /** Gives the room of deleted objects back to the file system, in steps, while the storage is in use. */
  async compact(): Promise<CompactReport> {
    return this._call(async () => {
      await this._threads.sweeper.finish();
      let freed = 0;
      for (;;) {
        const step = await this._threads.writer.call('compact', { pages: PAGES_OF_A_STEP });
        freed += step.freed;
        if (!step.left) break;
      }
      // until then the log holds what the file is to become
      await this._threads.writer.call('truncate', undefined);
      return { freed };
    });
  }

  /**
   * Looks for damage: in the file (SQLite's own check), in what belongs together (chunks and sizes), and in the bytes of objects that were put
   * with a checksum. It reads the whole database, in a thread of its own.
   */
  async check(): Promise<CheckReport> {
    return this._call(() => this._threads.check().then((found) => ({ ok: found.problems.length === 0, ...found })));
  }

  /** @returns the bytes, or the generation of the chunks */
  #take(upload: UploadWriter, source: Readable, options: ResolvedPutOptions): Promise<Uploaded> {
    return options.bytes === undefined ? upload.run(source) : upload.runBytes(options.bytes);
  }

  #upload(key: string): UploadWriter {
    return new UploadWriter(this._threads.writer, key, this.#settings);
  }

  async #commit(key: string, uploaded: Uploaded, options: ResolvedPutOptions, inline: boolean): Promise<StoredFile> {
    const attributes = JSON.stringify(attributesOf(options));
    const about = { key, attributes, checksum: checksumOf(options.checksum), ...conditionsOf(options) };
    const { size, bytes, generation } = uploaded;
    const { chunkSize } = this.#settings;
    const head =
      bytes === undefined
        ? await this._threads.writer.call('commit', { ...about, generation, size, chunkSize, inline })
        : await this._threads.writer.call('put', { ...about, bytes }, [bytes.buffer]);
    return fileOf(key, head);
  }

  async #transfer(
    method: 'copy' | 'move',
    source: string,
    destination: string,
    options: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const input = { source, destination, ...conditionsOf(options) };
    const head = await this._threads.writer
      .call(method, input)
      .catch((error: unknown) => throwRefusal(error, { key: destination, source }));
    return fileOf(destination, head);
  }
}

/** Whether there is nothing to decide. */
function isPlain({ range, ifMatch, ifNoneMatch }: ResolvedGetOptions): boolean {
  return range === undefined && ifMatch === undefined && ifNoneMatch === undefined;
}

function conditionsOf({ ifNoneMatch, ifMatch }: Conditions): Conditions {
  return {
    ...(ifNoneMatch === undefined ? undefined : { ifNoneMatch }),
    ...(ifMatch === undefined ? undefined : { ifMatch }),
  };
}

function checksumOf(checksum: Checksum | undefined): string | undefined {
  return checksum === undefined ? undefined : JSON.stringify(checksum);
}

/** @throws InvalidArgumentError; what else may be wrong with the place the copy itself finds out */
async function expectPlaceForFile(path: string, given: string, storage: string | undefined): Promise<void> {
  const name = JSON.stringify(given);
  const kindOf = (at: string): Promise<'folder' | 'nothing' | 'other'> =>
    stat(at).then(
      (found) => (found.isDirectory() ? 'folder' : 'other'),
      (error: unknown) => (isMissing(error) ? 'nothing' : 'other'),
    );
  if ((await kindOf(dirname(path))) === 'nothing') {
    throw new InvalidArgumentError(`backup: the folder of ${name} is not there; make it first.`, { storage });
  }
  if ((await kindOf(path)) === 'folder') {
    throw new InvalidArgumentError(`backup: ${name} is a folder; name a file.`, { storage });
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
