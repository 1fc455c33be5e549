// Changes databases for another process, which asks by messages (see second-process.ts), and beside it writes to another table of each.
import { Readable } from 'node:stream';
import { SQLiteStorage, type SQLiteStorageConfig } from '../../../lib/backends/sqlite/index.js';
import type { StagedBytes, StoredFile } from '../../../lib/contract/index.js';
import type { Answer, Change, Question, Upload } from '../second-process.js';

/** A storage whose hooks can be called as they are: what they get was checked by the other process. */
class ChangingStorage extends SQLiteStorage {
  store({ key, options }: Upload, source: Readable): Promise<StoredFile> {
    return this._call(() => this._put(key, source, options));
  }

  take({ key, options }: Upload, source: Readable): Promise<StagedBytes> {
    return this._call(() => this._stage(key, source, options));
  }

  change(change: Change): Promise<unknown> {
    return this._call<unknown>(() => {
      switch (change.name) {
        case 'delete':
          return this._delete(change.key, change.options);
        case 'deleteMany':
          return this._deleteMany(change.keys);
        case 'copy':
          return this._copy(change.source, change.destination, change.options);
        case 'move':
          return this._move(change.source, change.destination, change.options);
      }
    });
  }
}

/** Puts, replaces and deletes without end in a table of its own, a little at a time. */
class Neighbour {
  readonly #storage: SQLiteStorage;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(filename: string) {
    this.#storage = new SQLiteStorage({ filename, tableName: 'neighbours', durability: 'fast' });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#storage.close();
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      await this.#storage.put(`${i % 5}`, Buffer.alloc(i % 2 === 0 ? 100 : 100_000));
      if (i % 7 === 0) await this.#storage.delete(`${i % 5}`);
      // it is there, and takes little of the time
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const storages = new Map<string, { readonly storage: ChangingStorage; readonly neighbour: Neighbour }>();
const sources = new Map<number, { readonly source: Readable; wanted: boolean }>();
const staged = new Map<number, StagedBytes>();

function say(answer: Answer): void {
  process.send?.(answer);
}

async function open(config: SQLiteStorageConfig): Promise<void> {
  const storage = new ChangingStorage(config);
  await storage.open();
  storages.set(config.filename, { storage, neighbour: new Neighbour(config.filename) });
}

async function close(filename: string): Promise<void> {
  const found = storages.get(filename);
  storages.delete(filename);
  await found?.neighbour.stop();
  await found?.storage.close();
}

function storageOf(filename: string): ChangingStorage {
  const found = storages.get(filename);
  if (found === undefined) throw new Error(`${filename} is not open.`);
  return found.storage;
}

function sourceOf(id: number): Readable {
  const source = new Readable({
    read: () => {
      say({ id, kind: 'more' });
    },
  });
  sources.set(id, { source, wanted: false });
  return source;
}

async function answer(question: Question): Promise<unknown> {
  const { id } = question;
  switch (question.kind) {
    case 'open':
      return open(question.config);
    case 'close':
      return close(question.filename);
    case 'change':
      return storageOf(question.filename).change(question.change);
    case 'put':
      return storageOf(question.filename).store(question.upload, sourceOf(id));
    case 'stage': {
      const bytes = await storageOf(question.filename).take(question.upload, sourceOf(id));
      staged.set(id, bytes);
      return bytes.size;
    }
    case 'commit':
      return staged.get(question.staged)?.commit();
    case 'abort':
      return staged.get(question.staged)?.abort();
    case 'chunk':
    case 'end':
    case 'fail':
      return undefined;
  }
}

function feed(question: Question): boolean {
  const source = sources.get(question.id)?.source;
  switch (question.kind) {
    case 'chunk':
      source?.push(Buffer.from(question.bytes));
      return true;
    case 'end':
      source?.push(null);
      return true;
    case 'fail':
      source?.destroy(new Error('The source of the other process failed.'));
      return true;
    default:
      return false;
  }
}

process.on('message', (question: Question) => {
  if (feed(question)) return;
  const { id } = question;
  answer(question)
    .then(
      (output) => {
        say({ id, kind: 'done', output });
      },
      (error: unknown) => {
        const { code, message } = error as { code?: unknown; message?: unknown };
        say({ id, kind: 'failed', code: String(code), message: String(message) });
      },
    )
    .finally(() => sources.delete(id));
});
say({ id: 0, kind: 'ready' });
