import { truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Checkpoints } from '../../lib/backends/sqlite/thread/checkpoints.js';
import type { Database } from '../../lib/backends/sqlite/thread/driver.js';
import { DiskRoom } from '../../lib/backends/sqlite/thread/disk-room.js';
import { withFile } from './temporary-database.js';

function unused(): never {
  throw new Error('Nobody asks for this.');
}

/** A database whose disk has no room for what is in its log. */
class FullDatabase implements Database {
  readonly inTransaction = false;
  readonly prepare = unused;
  readonly exec = unused;
  readonly backup = unused;
  readonly close = unused;
  checkpoints = 0;

  pragma(sql: string): unknown {
    if (!sql.startsWith('wal_checkpoint')) return undefined;
    this.checkpoints++;
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  }
}

describe('a checkpoint that fails', () => {
  it('does not turn a commit that has happened into a failure, and is tried again', () =>
    withFile((filename) => {
      writeFileSync(`${filename}-wal`, '');
      // a hole: longer than the log may become
      truncateSync(`${filename}-wal`, 200 * 1024 * 1024);
      const db = new FullDatabase();
      const checkpoints = new Checkpoints(db, filename, 50);
      for (let commits = 0; commits < 32; commits++) checkpoints.afterCommit();
      expect(db.checkpoints).toBe(2);
      return Promise.resolve();
    }));
});

describe('a file system that does not say how much room it has', () => {
  it('is written to: SQLite finds out by itself', () =>
    withFile((filename) => {
      const nowhere = `${filename}/nowhere/files.db`;
      const room = new DiskRoom(nowhere, new Checkpoints(new FullDatabase(), nowhere, 50));
      expect(room.has(1000)).toBe(true);
      return Promise.resolve();
    }));
});
