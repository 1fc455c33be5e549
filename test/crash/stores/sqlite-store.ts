import Database from 'better-sqlite3';
import { join } from 'node:path';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';
import { tableNames } from '../../../lib/backends/sqlite/thread/names.js';
import type { CrashStore } from './crash-store.js';
import { BROKEN } from './broken.js';

/** Several chunks even of a body that is quickly written. */
const SIZES = { chunkSize: 65_536, inlineSize: 8192 };
/** Milliseconds after which what was not given back never will be: a storage looks every two seconds. */
const PATIENCE = 10_000;
const { chunks, objects, uploads, garbage } = tableNames('files');

const LEAVING_CHUNKS = 'leaving chunks behind';

export const sqliteStore: CrashStore = {
  name: 'sqlite',
  broken: [...BROKEN.keys(), LEAVING_CHUNKS],
  // its `fast` is `synchronous=NORMAL`
  brokenInPowerCuts: [],
  brokenBetweenProcesses: [],
  // the last commits, each wholly: an older state of the whole
  lostWhenFast: new Set(['lost', 'stale', 'resurrected', 'halfway']),
  operations: {
    'delete and compact': {
      changes: { 'folder/large': null },
      run: async (storage) => {
        await storage.delete('folder/large');
        await ofSQLite(storage).compact();
      },
    },
  },
  codes: {
    // SQLite tells only a write that found no room from one that failed: neither a quota nor a flush
    ENOSPC: ['QUOTA_EXCEEDED', 'STORAGE_FAILURE'],
    EDQUOT: ['QUOTA_EXCEEDED', 'STORAGE_FAILURE'],
    // PERMISSION_DENIED: nor why it could not open a file. INTEGRITY_FAILED: it takes a read that fails for damage. QUOTA_EXCEEDED: and
    // shared memory that cannot be made longer for a lack of room.
    EIO: ['STORAGE_FAILURE', 'PERMISSION_DENIED', 'INTEGRITY_FAILED', 'QUOTA_EXCEEDED'],
    EMFILE: ['CONNECTION_FAILED', 'PERMISSION_DENIED'],
    EINTR: ['STORAGE_FAILURE', 'PERMISSION_DENIED', 'TIMEOUT'],
  },
  mayLeave: new Set(),
  paths: (folder) => ['', '-wal', '-shm', '-journal'].map((end) => join(folder, `files.db${end}`)),
  open: (folder, variant) => {
    const filename = join(folder, 'files.db');
    const storage = new SQLiteStorage({ ...SIZES, filename, durability: variant === 'fast' ? 'fast' : 'full' });
    if (variant === LEAVING_CHUNKS) leaveChunks(storage, filename);
    BROKEN.get(variant)?.(storage);
    return storage;
  },
  leftovers: async (storage, folder) => {
    const left = (await ofSQLite(storage).check()).problems.map(({ message }) => message);
    const db = new Database(join(folder, 'files.db'), { readonly: true });
    try {
      const count = (sql: string): number => db.prepare<[], { count: number }>(sql).get()?.count ?? 0;
      const dead = count('SELECT count(*) AS count FROM "nestjs_storages_owners"') - 1;
      const begun = count(`SELECT count(*) AS count FROM ${uploads}`);
      // its sweeper gives them back in steps, soon
      const waste = (): number => count(`SELECT count(*) AS count FROM ${garbage}`);
      const end = performance.now() + PATIENCE;
      while (waste() > 0 && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
      const lost = count(
        `SELECT count(*) AS count FROM ${chunks} WHERE generation NOT IN (SELECT generation FROM ${objects} WHERE generation IS NOT NULL)`,
      );
      if (waste() > 0) left.push(`${waste()} bodies that nobody gives back`);
      if (dead !== 0) left.push(`${dead} owners beside this one`);
      if (begun > 0) left.push(`${begun} uploads`);
      if (lost > 0) left.push(`${lost} chunks`);
      return left;
    } finally {
      db.close();
    }
  },
};

function ofSQLite(storage: unknown): SQLiteStorage {
  if (!(storage instanceof SQLiteStorage)) throw new Error('This is another storage.');
  return storage;
}

function leaveChunks(storage: SQLiteStorage, filename: string): void {
  const open = storage.open.bind(storage);
  storage.open = async () => {
    await open();
    const db = new Database(filename);
    db.exec(`INSERT INTO ${chunks} (generation, position, data) VALUES (1 - abs(random() / 2), 0, x'00')`);
    db.close();
  };
}
