import { statSync } from 'node:fs';
import type { Calls } from '../protocol.js';
import type { Database } from './driver.js';
import { CHECKPOINT_BYTES } from './open-database.js';

/** Commits after which the log's length is looked at. */
const LOOK_EVERY = 16;
/** Milliseconds that a checkpoint may wait for readers, whose transactions are short. */
const PATIENCE = 250;

/** Keeps the write-ahead log short: SQLite begins it anew only when no reader is on it, which under steady reads is never. */
export class Checkpoints {
  readonly #db: Database;
  readonly #log: string | undefined;
  readonly #busyTimeout: number;
  #commits = 0;
  #commitsSeen = 0;

  constructor(db: Database, filename: string, busyTimeout: number) {
    this.#db = db;
    this.#log = filename === ':memory:' ? undefined : `${filename}-wal`;
    this.#busyTimeout = busyTimeout;
  }

  /** SQLite itself carries the log over at 64 MiB; at the double of that readers are waited for, so that it begins anew. */
  afterCommit(): void {
    this.#commits++;
    if (this.#commits % LOOK_EVERY !== 0) return;
    try {
      if (this.logBytes > 2 * CHECKPOINT_BYTES) this.#checkpoint('RESTART');
    } catch {
      // What was committed is committed, and its callers must hear so; the next look tries again.
    }
  }

  /** Empties the log if there was no commit since the last look. */
  whenIdle(): void {
    if (this.#commits === this.#commitsSeen) this.truncate();
    this.#commitsSeen = this.#commits;
  }

  truncate(): void {
    if (this.logBytes > 0) this.#checkpoint('TRUNCATE');
  }

  /** Gives free pages at the file's end back to the file system. */
  shrink(pages: number): Calls['compact']['output'] {
    const before = this.#freePages();
    this.#db.exec(`PRAGMA incremental_vacuum(${pages})`);
    this.#commits++;
    const after = this.#freePages();
    return { freed: (before - after) * this.#pageBytes(), left: after > 0 && after < before };
  }

  #freePages(): number {
    return Number(this.#db.pragma('freelist_count', { simple: true }));
  }

  #pageBytes(): number {
    return Number(this.#db.pragma('page_size', { simple: true }));
  }

  /** The length of the log. */
  get logBytes(): number {
    if (this.#log === undefined) return 0;
    return statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0;
  }

  #checkpoint(mode: 'RESTART' | 'TRUNCATE'): void {
    this.#db.pragma(`busy_timeout = ${Math.min(PATIENCE, this.#busyTimeout)}`);
    try {
      this.#db.pragma(`wal_checkpoint(${mode})`);
    } finally {
      this.#db.pragma(`busy_timeout = ${this.#busyTimeout}`);
    }
  }
}
