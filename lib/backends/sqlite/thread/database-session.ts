import { randomBytes } from 'node:crypto';
import type { CallName, Calls, Reply, Request, ThreadSettings } from '../protocol.js';
import { checkDatabase } from './check-database.js';
import { Checkpoints } from './checkpoints.js';
import { backUp } from './back-up.js';
import { DiskRoom } from './disk-room.js';
import type { Database, Statement } from './driver.js';
import { Garbage } from './garbage.js';
import { tableNames } from './names.js';
import { ObjectReads } from './object-reads.js';
import { ObjectWrites } from './object-writes.js';
import { openDatabase } from './open-database.js';
import { Owners } from './owners.js';
import { Sweep } from './sweep.js';
import { Transactions, type Change } from './transactions.js';

const READS: ReadonlySet<string> = new Set(['find', 'read', 'bytes', 'chunk', 'list', 'entries'] satisfies CallName[]);

/** What a thread that changes the database has beside its reads. */
interface Writer {
  readonly transactions: Transactions;
  readonly sweep: Sweep;
  readonly owners: Owners;
  readonly garbage: Garbage;
  readonly checkpoints: Checkpoints;
}

interface Opened {
  readonly db: Database;
  /** Of a transaction that only reads. */
  readonly begin: Statement<never>;
  readonly commit: Statement<never>;
  readonly reads: ObjectReads;
  readonly writer: Writer | undefined;
}

/** One connection to the database, and everything that can be asked of it. */
export class DatabaseSession {
  readonly #settings: ThreadSettings;
  readonly #progress: (id: number, done: number, total: number) => void;
  #opened: Opened | undefined;

  constructor(settings: ThreadSettings, progress: (id: number, done: number, total: number) => void) {
    this.#settings = settings;
    this.#progress = progress;
  }

  change(requests: readonly Change[]): { readonly replies: Reply[]; readonly epoch: number | undefined } {
    const { transactions, checkpoints } = this.#writer;
    const outcome = transactions.run(requests);
    checkpoints.afterCommit();
    return outcome;
  }

  /** Everything but a change of objects. A promise only where the thread does other things meanwhile. */
  run(request: Exclude<Request, Change>): unknown {
    switch (request.name) {
      case 'open':
        return this.#open(request.input);
      case 'close':
        this.#close();
        return undefined;
      case 'find':
        return this.#reads.find(request.input.key);
      case 'read':
        return this.#reads.read(request.input.key);
      case 'bytes':
        return this.#reads.bytes(request.input.key);
      case 'chunk':
        return this.#reads.chunk(request.input.generation, request.input.position);
      case 'list':
        return this.#reads.list(request.input);
      case 'entries':
        return this.#reads.entries(request.input);
      case 'sweep':
        this.#writer.checkpoints.whenIdle();
        return this.#writer.sweep.step(request.input);
      case 'compact':
        return this.#writer.checkpoints.shrink(request.input.pages);
      case 'truncate':
        this.#writer.checkpoints.truncate();
        return undefined;
      case 'backup':
        return backUp(this.#connection.db, this.#settings, request.input, (done, total) => {
          this.#progress(request.id, done, total);
        });
      case 'check':
        return checkDatabase(this.#connection.db, tableNames(this.#settings.tableName));
    }
  }

  /**
   * Begins one read transaction for requests that came together: each would take and release the locks of its own.
   *
   * @returns whether there is one to end: not where something else than reading is asked for
   */
  beginReads(requests: readonly Request[]): boolean {
    if (this.#opened === undefined || !requests.every(({ name }) => READS.has(name))) return false;
    this.#opened.begin.run();
    return true;
  }

  endReads(): void {
    this.#connection.commit.run();
  }

  #open({ safe, departed }: Calls['open']['input']): Calls['open']['output'] {
    const { role, tableName, instance, durable, maxBytes, filename } = this.#settings;
    const db = openDatabase(this.#settings);
    try {
      const names = tableNames(tableName);
      const garbage = new Garbage(db, names);
      const reads = new ObjectReads(db, names);
      let writer: Writer | undefined;
      if (role !== 'reader') {
        const owners = new Owners(db, instance);
        const rules = { owner: owners.id, etagPrefix: `${instance}${randomBytes(3).toString('hex')}`, maxBytes };
        const writes = new ObjectWrites(db, names, garbage, rules);
        const checkpoints = new Checkpoints(db, filename, this.#settings.busyTimeout);
        writer = {
          transactions: new Transactions(db, writes, garbage, new DiskRoom(filename, checkpoints), durable),
          sweep: new Sweep(db, owners, garbage, durable),
          owners,
          garbage,
          checkpoints,
        };
        owners.publish(Math.min(garbage.epoch, safe ?? Infinity));
        owners.neighbours(departed);
      }
      this.#opened = { db, begin: db.prepare('BEGIN'), commit: db.prepare('COMMIT'), reads, writer };
      return { epoch: garbage.epoch };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    try {
      opened.writer?.owners.withdraw();
    } finally {
      opened.db.close();
    }
  }

  get #connection(): Opened {
    if (this.#opened === undefined) throw new Error('The database is used before it was opened.');
    return this.#opened;
  }

  get #reads(): ObjectReads {
    return this.#connection.reads;
  }

  get #writer(): Writer {
    const { writer } = this.#connection;
    if (writer === undefined) throw new Error('A thread that only reads was asked for a change.');
    return writer;
  }
}
