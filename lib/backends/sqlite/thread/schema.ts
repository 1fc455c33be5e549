import type { Database } from './driver.js';
import { tableNames } from './names.js';

/** `application_id` of the file's header, which says whose database it is: "NSto". */
export const APPLICATION_ID = 0x4e53746f;

/**
 * `user_version` of the file's header. A newer one is refused, an older one migrated.
 *
 * 1: an object has no checksum, and the sum of all sizes is not kept. 2: this one.
 */
export const SCHEMA_VERSION = 2;

/** Made once in a file, for all its storages. */
const FILE_TABLES = `
  CREATE TABLE "nestjs_storages" (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID;
  -- The storages that are open, in this process and others. epoch: none of its readers began before.
  CREATE TABLE "nestjs_storages_owners" (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seen REAL NOT NULL) WITHOUT ROWID;
  -- Counts up whenever bytes that somebody may be reading are given up.
  CREATE TABLE "nestjs_storages_epoch" (id INTEGER PRIMARY KEY CHECK (id = 0), epoch INTEGER NOT NULL);
  INSERT INTO "nestjs_storages_epoch" VALUES (0, 0);
`;

/** @param table an identifier */
function storageTables(table: string): string {
  const { objects, byGeneration, chunks, chunksByPosition, uploads, garbage, totals } = tableNames(table);
  return `
    -- Small bodies lie in the row, last: a listing does not read them. Keys compare by their UTF-8 bytes. A table with row numbers: one
    -- without compares whole rows, bodies included, on the way to a key.
    CREATE TABLE ${objects} (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE COLLATE BINARY, size INTEGER NOT NULL, etag TEXT NOT NULL,
      modified INTEGER NOT NULL, attributes TEXT NOT NULL, checksum TEXT, generation INTEGER, chunk_size INTEGER, body BLOB
    );
    -- Copies share their chunks: the last object that is given up gives up the chunks.
    CREATE INDEX ${byGeneration} ON ${objects} (generation) WHERE generation IS NOT NULL;
    -- A table with row numbers: into one without, large values cost twice the CPU.
    CREATE TABLE ${chunks} (
      id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX ${chunksByPosition} ON ${chunks} (generation, position);
    -- Bytes that belong to no object yet. A number is never given out twice.
    CREATE TABLE ${uploads} (
      generation INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL
    );
    -- Bytes that belong to no object any more, and the epoch that began when they were given up.
    CREATE TABLE ${garbage} (generation INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);
    CREATE TABLE ${totals} (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL);
    INSERT INTO ${totals} VALUES (0, 0);
  `;
}

/** What leads from a version to the next, for one storage of the file. */
const MIGRATIONS: ReadonlyMap<number, (table: string) => string> = new Map([
  [
    1,
    (table) => {
      const { objects, totals } = tableNames(table);
      return `
        ALTER TABLE ${objects} ADD COLUMN checksum TEXT;
        CREATE TABLE ${totals} (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL);
        INSERT INTO ${totals} SELECT 0, coalesce(sum(size), 0) FROM ${objects};
      `;
    },
  ],
]);

/** Makes the tables of a new file. Within a transaction. */
export function createFileTables(db: Database): void {
  db.exec(FILE_TABLES);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
}

/** Brings all storages of an older file to this version. Within a transaction. */
export function migrate(db: Database, from: number): void {
  const names = db.prepare<{ readonly name: string }>('SELECT name FROM "nestjs_storages"').all();
  for (let version = from; version < SCHEMA_VERSION; version++) {
    const step = MIGRATIONS.get(version);
    if (step === undefined) throw new Error(`There is no way from version ${version} of the schema.`);
    for (const { name } of names) db.exec(step(name));
  }
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
}

/** Makes the tables of a storage where they are missing. Within a transaction. */
export function createStorageTables(db: Database, table: string): void {
  const made = db.prepare('INSERT INTO "nestjs_storages" VALUES (?) ON CONFLICT DO NOTHING').run(table).changes === 1;
  if (made) db.exec(storageTables(table));
}

export function hasStorageTables(db: Database, table: string): boolean {
  return db.prepare('SELECT 1 FROM "nestjs_storages" WHERE name = ?').get(table) !== undefined;
}
