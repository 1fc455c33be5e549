import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ThreadSettings } from '../protocol.js';
import { codeOf, connect, loadDriver, type Database } from './driver.js';
import { Denied, WrongSetting } from './refused.js';
import {
  APPLICATION_ID,
  createFileTables,
  createStorageTables,
  hasStorageTables,
  migrate,
  SCHEMA_VERSION,
} from './schema.js';
import { shortageOf } from './system-failure.js';

const KIB = 1024;

/** Bytes of a page. Large ones make long chains of small bodies and chunks short: a quarter of the CPU of 4 KiB. */
const PAGE_BYTES = 16 * 1024;

/** Pages after which a commit carries the log over into the file: 64 MiB. */
const CHECKPOINT_PAGES = 4096;
export const CHECKPOINT_BYTES = CHECKPOINT_PAGES * PAGE_BYTES;

/** Opens the database, makes it or brings it to this version, and refuses one that belongs to somebody else. */
export function openDatabase(settings: ThreadSettings): Database {
  const { role } = settings;
  const db = connectTo(settings);
  try {
    if (role !== 'reader') prepareFile(db, settings);
    db.pragma(`cache_size = -${role === 'writer' ? 16 * KIB : 48 * KIB}`);
    db.pragma('temp_store = MEMORY');
    if (role === 'reader') db.pragma('query_only = 1');
    db.pragma(`wal_autocheckpoint = ${role === 'reader' ? 0 : CHECKPOINT_PAGES}`);
    db.pragma(`journal_size_limit = ${CHECKPOINT_BYTES}`);
    setDurability(db, settings.durable);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** better-sqlite3 is built to fall to NORMAL in WAL mode, which loses acknowledged commits at a power cut: never left to a default. */
export function setDurability(db: Database, durable: boolean): void {
  db.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
}

function connectTo({ filename, givenFilename, busyTimeout }: ThreadSettings): Database {
  const driver = loadDriver();
  try {
    return connect(driver, filename, busyTimeout);
  } catch (error) {
    // its own check of the folder is a TypeError
    if (codeOf(error) !== 'SQLITE_CANTOPEN' && !(error instanceof TypeError)) throw error;
    throw whyNotOpened(filename, JSON.stringify(givenFilename), error);
  }
}

function whyNotOpened(filename: string, name: string, cause: unknown): Error {
  const about = (path: string): 'missing' | 'folder' | 'file' | 'hidden' => {
    try {
      return statSync(path).isDirectory() ? 'folder' : 'file';
    } catch (error) {
      return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? 'missing' : 'hidden';
    }
  };
  if (about(filename) === 'folder') {
    return new WrongSetting(`filename must be a file, and ${name} is a folder.`, { cause });
  }
  const folder = about(dirname(filename));
  if (folder === 'missing' || folder === 'file') {
    return new WrongSetting(`the folder of ${name} does not exist: make it first.`, { cause });
  }
  return shortageOf(filename) ?? new Denied(`The system does not let this process open or make ${name}.`, { cause });
}

function prepareFile(db: Database, settings: ThreadSettings): void {
  const { givenFilename, tableName } = settings;
  if (isEmpty(db)) {
    // only before the first page is written
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('auto_vacuum = INCREMENTAL');
  } else {
    checkOrigin(db, givenFilename);
  }
  switchToWal(db, settings);
  setDurability(db, true);
  if (needsNothing(db, tableName)) return;
  // Two that come at once: the second one finds what the first one made.
  db.exec('BEGIN IMMEDIATE');
  try {
    if (isEmpty(db)) createFileTables(db);
    const version = checkOrigin(db, givenFilename);
    if (version < SCHEMA_VERSION) migrate(db, version);
    createStorageTables(db, tableName);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function needsNothing(db: Database, tableName: string): boolean {
  return db.pragma('user_version', { simple: true }) === SCHEMA_VERSION && hasStorageTables(db, tableName);
}

function isEmpty(db: Database): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

/** @returns the version of the schema, which this package knows */
function checkOrigin(db: Database, filename: string): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new WrongSetting(
      `${quoted(filename)} is a database of another application: a storage needs a file of its own.`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new WrongSetting(
      `${quoted(filename)} was written by a newer version of nestjs-storages (schema ${version}; this one knows ${SCHEMA_VERSION}): install that one.`,
    );
  }
  return version;
}

/** Waits for others as every call does: for this one SQLite does not. */
function switchToWal(db: Database, { filename, givenFilename, busyTimeout }: ThreadSettings): void {
  if (filename === ':memory:') return;
  const end = performance.now() + busyTimeout;
  for (;;) {
    try {
      if (db.pragma('journal_mode = WAL', { simple: true }) === 'wal') return;
      throw new WrongSetting(`the file system of ${quoted(givenFilename)} cannot hold SQLite's write-ahead log.`);
    } catch (error) {
      if (codeOf(error)?.startsWith('SQLITE_BUSY') !== true || performance.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function quoted(filename: string): string {
  return JSON.stringify(filename);
}
