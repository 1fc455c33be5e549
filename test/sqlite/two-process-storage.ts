import type { Readable } from 'node:stream';
import {
  ConnectionError,
  FileExistsError,
  FileNotFoundError,
  freezeStoredFile,
  PreconditionFailedError,
  QuotaExceededError,
  StorageError,
  TimeoutError,
  type DeleteOutcome,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from 'nestjs-storages';
import { SQLiteStorage, type SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import { RemoteFailure, type Change, type SecondProcess } from './second-process.js';

/** Reads in this process; another one makes every change, on the same file. */
export class TwoProcessStorage extends SQLiteStorage {
  protected override readonly _readsSourceDirectly = false;
  readonly #second: () => Promise<SecondProcess>;
  readonly #config: SQLiteStorageConfig;

  /** @param second started by the first that needs it */
  constructor(config: SQLiteStorageConfig, second: () => Promise<SecondProcess>) {
    super(config);
    this.#second = second;
    this.#config = config;
  }

  protected override async _open(): Promise<void> {
    await super._open();
    await (await this.#second()).ask({ kind: 'open', config: this.#config });
  }

  protected override async _close(): Promise<void> {
    await (await this.#second()).ask({ kind: 'close', filename: this.#config.filename });
    await super._close();
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const { output } = await this.#upload('put', key, source, options);
    return fileOf(output);
  }

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const second = await this.#second();
    const { output, id } = await this.#upload('stage', key, source, options);
    return {
      size: Number(output),
      commit: () => second.ask({ kind: 'commit', staged: id }).then(fileOf, failAs(key)),
      abort: async () => {
        await second.ask({ kind: 'abort', staged: id });
      },
    };
  }

  protected override async _delete(key: string, { force, ifMatch }: ResolvedDeleteOptions): Promise<void> {
    const options = { force, ...(ifMatch === undefined ? {} : { ifMatch }) };
    await this.#change({ name: 'delete', key, options }, key);
  }

  protected override async _deleteMany(keys: readonly string[]): Promise<DeleteOutcome> {
    await this.#change({ name: 'deleteMany', keys }, '');
    return { deleted: keys, failed: [] };
  }

  protected override async _copy(...args: [string, string, ResolvedCopyOptions]): Promise<StoredFile> {
    return this.#transfer('copy', ...args);
  }

  protected override async _move(...args: [string, string, ResolvedCopyOptions]): Promise<StoredFile> {
    return this.#transfer('move', ...args);
  }

  async #transfer(
    name: 'copy' | 'move',
    source: string,
    destination: string,
    { ifNoneMatch }: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    const options = ifNoneMatch === undefined ? {} : { ifNoneMatch };
    return fileOf(await this.#change({ name, source, destination, options }, destination, source));
  }

  async #change(change: Change, key: string, source?: string): Promise<unknown> {
    const { filename } = this.#config;
    return (await this.#second()).ask({ kind: 'change', filename, change }).catch(failAs(key, source));
  }

  async #upload(
    kind: 'put' | 'stage',
    key: string,
    source: Readable,
    options: ResolvedPutOptions,
  ): Promise<{ readonly output: unknown; readonly id: number }> {
    return (await this.#second()).upload(kind, this.#config.filename, key, options, source).catch(failAs(key));
  }
}

/** What came over is of another realm. */
function fileOf(output: unknown): StoredFile {
  const file = output as StoredFile;
  return freezeStoredFile({
    ...file,
    metadata: { ...file.metadata },
    lastModified: new Date(Number(file.lastModified)),
  });
}

function failAs(key: string, source = key): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof RemoteFailure)) throw error;
    const { code, message } = error;
    switch (code) {
      case 'FILE_NOT_FOUND':
        throw new FileNotFoundError(source);
      case 'FILE_EXISTS':
        throw new FileExistsError(key);
      case 'PRECONDITION_FAILED':
        throw new PreconditionFailedError(message, { key });
      case 'QUOTA_EXCEEDED':
        throw new QuotaExceededError(message, { key });
      case 'TIMEOUT':
        throw new TimeoutError(message, { key });
      case 'CONNECTION_FAILED':
        throw new ConnectionError(message, { key });
      default:
        throw new StorageError(message, { key, cause: error });
    }
  };
}
