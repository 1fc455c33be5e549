import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { SQLiteStorage, type SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import { until } from '../until.js';

/** Runs a test in a new folder, on a file that is not there yet, and removes both. */
export async function withFile<T>(test: (filename: string, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-sqlite-'));
  try {
    return await test(join(folder, 'files.db'), folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a test on a storage with a new file, and closes it. Without fsync, unless the test says otherwise. */
export function withStorage<T>(
  test: (storage: SQLiteStorage, filename: string) => Promise<T>,
  config: Omit<SQLiteStorageConfig, 'filename'> = {},
): Promise<T> {
  return withFile(async (filename) => {
    await using storage = new SQLiteStorage({ durability: 'fast', ...config, filename });
    return await test(storage, filename);
  });
}

/** What stands in the file, as SQLite's own shell would show it. */
export function query<Row>(filename: string, sql: string): Row[] {
  const db = new Database(filename, { readonly: true });
  try {
    return db.prepare<[], Row>(sql).all();
  } finally {
    db.close();
  }
}

/** Waits until something holds, asking again and again. */
export function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  return until('the database holds what it should', holds);
}

export async function keysOf(storage: SQLiteStorage, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}
