import Database from 'better-sqlite3';

/** A file as version 1 of the schema made it: without checksums, and without the sum of all sizes. */
export function makeVersion1(filename: string): void {
  const db = new Database(filename);
  db.pragma('page_size = 16384');
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  db.exec(`
    CREATE TABLE "nestjs_storages" (name TEXT PRIMARY KEY COLLATE NOCASE) WITHOUT ROWID;
    INSERT INTO "nestjs_storages" VALUES ('files'), ('photos');
    CREATE TABLE "nestjs_storages_owners" (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seen REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE "nestjs_storages_epoch" (id INTEGER PRIMARY KEY CHECK (id = 0), epoch INTEGER NOT NULL);
    INSERT INTO "nestjs_storages_epoch" VALUES (0, 7);
  `);
  for (const name of ['files', 'photos']) {
    db.exec(`
      CREATE TABLE "${name}" (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE COLLATE BINARY, size INTEGER NOT NULL, etag TEXT NOT NULL,
        modified INTEGER NOT NULL, attributes TEXT NOT NULL, generation INTEGER, chunk_size INTEGER, body BLOB
      );
      CREATE INDEX "${name}$by_generation" ON "${name}" (generation) WHERE generation IS NOT NULL;
      CREATE TABLE "${name}$chunks" (
        id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL
      );
      CREATE UNIQUE INDEX "${name}$chunks_by_position" ON "${name}$chunks" (generation, position);
      CREATE TABLE "${name}$uploads" (
        generation INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL
      );
      CREATE TABLE "${name}$garbage" (generation INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);
    `);
    const attributes = JSON.stringify({ contentType: 'text/plain', metadata: { of: name } });
    const insert = db.prepare(`INSERT INTO "${name}" VALUES (null, ?, ?, ?, ?, ?, ?, ?, ?)`);
    insert.run('small.txt', 5, 'e-1', 1_700_000_000_000, attributes, null, null, Buffer.from('small'));
    insert.run('large.txt', 40_000, 'e-2', 1_700_000_000_001, attributes, 3, 16_384, null);
    const chunk = db.prepare(`INSERT INTO "${name}$chunks" (generation, position, data) VALUES (3, ?, ?)`);
    for (const [i, size] of [16_384, 16_384, 7232].entries()) chunk.run(i, Buffer.alloc(size, i));
  }
  db.pragma(`application_id = 1314092143`);
  db.pragma('user_version = 1');
  db.close();
}
