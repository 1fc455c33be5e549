import { createHash, randomBytes } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { SQLiteStorage, type BackupProgress } from 'nestjs-storages/sqlite';
import { keysOf, query, withFile, withStorage } from './temporary-database.js';

const MIB = 1024 * 1024;

/** Changes the file behind the storage's back. */
function tamper(filename: string, sql: string): void {
  const db = new Database(filename);
  db.exec(sql);
  db.close();
}

describe('backup', () => {
  it('copies the database as of one moment while it is written, and tells how far it is', () =>
    withFile(async (filename, folder) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      const bytes = randomBytes(8 * MIB);
      await storage.put('large', bytes, { metadata: { kept: 'yes' } });
      const staged = await storage.stage('staged', randomBytes(MIB));
      const destination = join(folder, 'backup.db');
      const progress: BackupProgress[] = [];
      const end = new AbortController();
      const writing = (async () => {
        for (let i = 0; !end.signal.aborted; i++) await storage.put(`pair/${i % 10}`, `${i}`.repeat(1000));
      })();
      await storage.backup(destination, { onProgress: (now) => progress.push(now) });
      end.abort();
      await writing;
      expect(progress.length).toBeGreaterThan(1);
      expect(progress.at(-1)?.transferred).toBe(progress.at(-1)?.total);
      await staged.commit();

      // the one file is all of it
      expect((await readdir(folder)).filter((name) => name.startsWith('backup'))).toEqual(['backup.db']);
      await using copy = new SQLiteStorage({ filename: destination, durability: 'fast' });
      expect((await copy.check()).problems).toEqual([]);
      expect((await copy.getBytes('large')).equals(bytes)).toBe(true);
      expect(await copy.info('large')).toEqual(await storage.info('large'));
      expect(await copy.exists('staged')).toBe(false);
      expect(query(destination, 'SELECT * FROM "files$uploads"')).toEqual([]);
      await copy.put('new', 'new');
    }));

  it('replaces an older copy in one step, and leaves it where it fails', () =>
    withFile(async (filename, folder) => {
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      const destination = join(folder, 'backup.db');
      for (const body of ['first', 'second']) {
        await storage.put('a', body);
        await storage.backup(destination);
      }
      const missing = join(folder, 'missing', 'backup.db');
      await expect(storage.backup(missing)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: `backup: the folder of ${JSON.stringify(missing)} is not there; make it first.`,
      });
      await expect(storage.backup(folder)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      // where no file can be made: the error names it, and not that of the storage
      await expect(storage.backup('/proc/self/backup.db')).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('"/proc/self/backup.db"') as unknown,
      });
      await expect(storage.backup(filename)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(storage.backup('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await using copy = new SQLiteStorage({ filename: destination, durability: 'fast' });
      expect(String(await copy.getBytes('a'))).toBe('second');
    }));

  it('takes a database in memory to a file', () =>
    withFile(async (filename) => {
      await using storage = new SQLiteStorage({ filename: ':memory:' });
      await storage.put('a', Buffer.alloc(300_000, 'a'));
      await storage.backup(filename);
      await using copy = new SQLiteStorage({ filename, durability: 'fast' });
      expect((await copy.getBytes('a')).length).toBe(300_000);
    }));

  it('is refused once the storage is closed', () =>
    withFile(async (filename, folder) => {
      const storage = new SQLiteStorage({ filename, durability: 'fast' });
      await storage.put('a', 'a');
      await storage.close();
      await expect(storage.backup(join(folder, 'backup.db'))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(storage.compact()).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(storage.check()).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    }));
});

describe('compact', () => {
  it('gives the room of deleted objects back to the file system', () =>
    withStorage(async (storage, filename) => {
      for (let i = 0; i < 20; i++) await storage.put(`${i}`, randomBytes(MIB));
      for (let i = 0; i < 20; i++) if (i !== 10) await storage.delete(`${i}`);
      const { freed } = await storage.compact();
      expect(freed).toBeGreaterThan(15 * MIB);
      expect((await stat(filename)).size).toBeLessThan(3 * MIB);
      expect((await stat(`${filename}-wal`)).size).toBe(0);
      expect((await storage.getBytes('10')).length).toBe(MIB);
      expect((await storage.check()).problems).toEqual([]);
      expect(await storage.compact()).toEqual({ freed: 0 });
    }));
});

describe('check', () => {
  it('finds nothing wrong with a sound database, and counts it', () =>
    withStorage(async (storage) => {
      await storage.put('small', 'small');
      await storage.put('large', Buffer.alloc(MIB));
      await storage.copy('large', 'copy');
      expect(await storage.check()).toEqual({ ok: true, objects: 3, bytes: 2 * MIB + 5, problems: [] });
    }));

  it.each([
    ['a missing chunk', 'DELETE FROM "files$chunks" WHERE position = 2', 'missing-chunks'],
    ['a chunk that is too short', 'UPDATE "files$chunks" SET data = x\'00\' WHERE position = 3', 'size'],
    ['chunks of nothing', 'INSERT INTO "files$chunks" VALUES (99, 99, 0, x\'00\')', 'orphaned-chunks'],
    ['a body that is too short', "UPDATE files SET body = x'00' WHERE key = 'small'", 'size'],
    ['a sum that is wrong', 'UPDATE "files$totals" SET bytes = 3', 'size'],
    [
      'other bytes in a chunk',
      'UPDATE "files$chunks" SET data = zeroblob(length(data)) WHERE position = 1',
      'checksum',
    ],
    ['other bytes in a row', "UPDATE files SET body = zeroblob(5) WHERE key = 'small'", 'checksum'],
  ] as const)('finds %s', (_what, sql, kind) =>
    withStorage(
      async (storage, filename) => {
        const bytes = randomBytes(MIB);
        await storage.put('large', bytes, { checksum: { sha256: createHash('sha256').update(bytes).digest('hex') } });
        await storage.put('small', 'small', { checksum: { crc32: '7545ea13' } });
        tamper(filename, sql);
        const { ok, problems } = await storage.check();
        expect(ok).toBe(false);
        expect(problems.map((problem) => problem.kind)).toContain(kind);
      },
      { chunkSize: 262_144 },
    ),
  );
});

describe('maxBytes', () => {
  it('bounds what is stored and what is being uploaded, together and across processes', () =>
    withStorage(
      async (storage, filename) => {
        await storage.put('a', Buffer.alloc(400_000));
        const staged = await storage.stage('b', Buffer.alloc(500_000));
        await expect(storage.put('c', Buffer.alloc(200_000))).rejects.toMatchObject({
          code: 'QUOTA_EXCEEDED',
          key: 'c',
        });
        await expect(storage.put('c', Buffer.alloc(60_000))).resolves.toMatchObject({ size: 60_000 });
        await expect(storage.copy('a', 'd')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
        await staged.abort();
        await using other = new SQLiteStorage({ filename, durability: 'fast', maxBytes: 1_000_000 });
        await other.put('d', Buffer.alloc(500_000));
        await expect(storage.put('e', Buffer.alloc(100_000))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
        // what replaces an object needs no more room than it adds
        await storage.put('d', Buffer.alloc(510_000));
        await storage.move('d', 'a');
        expect(await keysOf(storage)).toEqual(['a', 'c']);
      },
      { maxBytes: 1_000_000 },
    ));
});

describe('the folder', () => {
  it('holds one file when the storage is closed', () =>
    withFile(async (filename, folder) => {
      const storage = new SQLiteStorage({ filename });
      await storage.put('a', Buffer.alloc(MIB));
      await writeFile(join(folder, 'other'), '');
      await storage.close();
      expect((await readdir(folder)).sort()).toEqual(['files.db', 'other']);
    }));
});
