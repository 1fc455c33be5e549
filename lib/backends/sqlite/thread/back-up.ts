import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Calls, ThreadSettings } from '../protocol.js';
import { connect, loadDriver, type Database } from './driver.js';
import { tableNames } from './names.js';
import { FailedElsewhere } from './refused.js';

/** Pages that are copied between two looks at the requests that came meanwhile: 2 MiB. */
const PAGES_AT_ONCE = 128;

/** Copies the database while it is in use, as of one moment. The copy is there whole or not at all. */
export async function backUp(
  db: Database,
  settings: ThreadSettings,
  { destination, given }: Calls['backup']['input'],
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const temporary = `${destination}.${randomBytes(6).toString('hex')}.tmp`;
  const pageBytes = Number(db.pragma('page_size', { simple: true }));
  let total = 0;
  try {
    await db.backup(temporary, {
      progress: ({ totalPages, remainingPages }) => {
        total = totalPages * pageBytes;
        onProgress(total - remainingPages * pageBytes, total);
        return PAGES_AT_ONCE;
      },
    });
    forgetWhoWasOpen(temporary, settings.busyTimeout);
    flush(temporary);
    renameSync(temporary, destination);
    flush(dirname(destination));
    onProgress(total, total);
  } catch (error) {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${temporary}${end}`, { force: true });
    throw new FailedElsewhere({ path: destination, given }, error);
  }
}

/** In the copy nobody writes or reads: what is unfinished there can never be finished. */
function forgetWhoWasOpen(filename: string, timeout: number): void {
  const db = connect(loadDriver(), filename, timeout);
  try {
    // one file, without a log beside it
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = FULL');
    db.exec('BEGIN IMMEDIATE');
    for (const { name } of db.prepare<{ readonly name: string }>('SELECT name FROM "nestjs_storages"').all()) {
      const { chunks, uploads, garbage } = tableNames(name);
      for (const table of [uploads, garbage]) {
        db.exec(`DELETE FROM ${chunks} WHERE generation IN (SELECT generation FROM ${table}); DELETE FROM ${table}`);
      }
    }
    db.exec('DELETE FROM "nestjs_storages_owners"; COMMIT');
  } finally {
    db.close();
  }
}

function flush(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
