import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { SQLiteStorage, type SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import { startChild } from './process/child.js';
import { keysOf, query, withFile, withStorage } from './temporary-database.js';
import { makeVersion1 } from './version-1.js';

/** How opening a file fails; the file must be as it was. */
async function refusalOf(filename: string): Promise<{ code: unknown; message: string; retryable: unknown }> {
  const before = await readFile(filename);
  const storage = new SQLiteStorage({ filename });
  const failure: unknown = await storage.put('a', 'new').catch((error: unknown) => error);
  await storage.close();
  expect((await readFile(filename)).equals(before)).toBe(true);
  const { code, message, retryable } = failure as { code: unknown; message: string; retryable: unknown };
  return { code, message, retryable };
}

/** A database with some objects, closed. */
async function fill(filename: string): Promise<void> {
  await using storage = new SQLiteStorage({ filename, durability: 'fast' });
  for (let i = 0; i < 40; i++) await storage.put(`key ${i}`, randomBytes(50_000));
  await storage.put('large', randomBytes(1_000_000));
}

describe('a file that cannot be used', () => {
  it('is refused when it is no database', () =>
    withFile(async (filename) => {
      await writeFile(filename, 'This is a text that somebody wants to keep. '.repeat(100));
      const { code, message } = await refusalOf(filename);
      expect(code).toBe('INVALID_CONFIGURATION');
      expect(message).toBe(
        `SQLiteStorage: ${JSON.stringify(filename)} is not an SQLite database, or an encrypted one.`,
      );
    }));

  it("is refused when it is another application's database", () =>
    withFile(async (filename) => {
      const db = new Database(filename);
      db.exec('CREATE TABLE customers (name TEXT)');
      db.close();
      const { code, message } = await refusalOf(filename);
      expect(code).toBe('INVALID_CONFIGURATION');
      expect(message).toContain('is a database of another application');
    }));

  it('is refused when a newer version of the package has written it', () =>
    withFile(async (filename) => {
      await fill(filename);
      const db = new Database(filename);
      db.pragma('user_version = 3');
      db.close();
      const { code, message } = await refusalOf(filename);
      expect(code).toBe('INVALID_CONFIGURATION');
      expect(message).toContain('was written by a newer version of nestjs-storages (schema 3; this one knows 2)');
    }));

  it('is refused when it is cut short', () =>
    withFile(async (filename) => {
      await fill(filename);
      await truncate(filename, 200_000);
      const { code, message } = await refusalOf(filename);
      expect(code).toBe('INTEGRITY_FAILED');
      expect(message).toContain('is damaged (SQLITE_CORRUPT');
    }));

  it('is refused when it is cut within its header', () =>
    withFile(async (filename) => {
      await fill(filename);
      await truncate(filename, 60);
      expect((await refusalOf(filename)).code).toBe('INTEGRITY_FAILED');
    }));

  it('is refused when it or its folder may only be read', () =>
    withFile(async (filename, folder) => {
      await fill(filename);
      await chmod(folder, 0o755);
      await chmod(filename, 0o644);
      const before = await readFile(filename);
      const child = startChild('unprivileged', [filename]);
      const { code, message } = JSON.parse(await child.line()) as { code: string; message: string };
      await child.end();
      expect(code).toBe('PERMISSION_DENIED');
      expect(message).toContain(JSON.stringify(filename));
      expect((await readFile(filename)).equals(before)).toBe(true);
    }));

  it('is refused when it cannot be made, because its folder may only be read', () =>
    withFile(async (filename, folder) => {
      await chmod(folder, 0o755);
      const child = startChild('unprivileged', [filename]);
      const { code } = JSON.parse(await child.line()) as { code: string };
      await child.end();
      expect(code).toBe('PERMISSION_DENIED');
    }));

  it('is refused when its folder is missing, or when it is a folder itself', () =>
    withFile(async (_filename, folder) => {
      const missing = join(folder, 'missing', 'files.db');
      await expect(new SQLiteStorage({ filename: missing }).open()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: `SQLiteStorage: the folder of ${JSON.stringify(missing)} does not exist: make it first.`,
      });
      await mkdir(join(folder, 'folder.db'));
      await expect(new SQLiteStorage({ filename: join(folder, 'folder.db') }).open()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringContaining('is a folder') as unknown,
      });
    }));

  it('is told by the name that was given, and by no other path', async () => {
    const relative = `missing-${Date.now()}/files.db`;
    const failure: unknown = await new SQLiteStorage({ filename: relative }).open().catch((error: unknown) => error);
    const { message } = failure as Error;
    expect(message).toContain(JSON.stringify(relative));
    expect(message).not.toContain(process.cwd());
  });

  it('is opened once it is usable: a failed attempt is made again by the next call', () =>
    withFile(async (_filename, folder) => {
      const filename = join(folder, 'later', 'files.db');
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      await expect(storage.put('a', 'a')).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
      await mkdir(join(folder, 'later'));
      await storage.put('a', 'a');
      expect(String(await storage.getBytes('a'))).toBe('a');
    }));

  it('is found out by check() when it is damaged inside, and fails the reads that meet the damage', () =>
    withFile(async (filename) => {
      await fill(filename);
      const bytes = await readFile(filename);
      for (let page = 20; page < 40; page++) bytes.fill(0xff, page * 16_384, page * 16_384 + 2000);
      await writeFile(filename, bytes);
      await using storage = new SQLiteStorage({ filename, durability: 'fast' });
      const report = await storage.check();
      expect(report.ok).toBe(false);
      expect(report.problems.some(({ kind }) => kind === 'database')).toBe(true);
    }));
});

describe('a disk that is full', () => {
  it('is a QuotaExceededError, the old object stays, nothing of the new one does, and what is deleted makes room', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      await rm(folder, { recursive: true });
      console.log('No disk could be mounted here: a full one is not tested.');
      return;
    }
    try {
      const filename = join(folder, 'files.db');
      await using storage = new SQLiteStorage({ filename });
      const old = await storage.put('key', 'old', { metadata: { version: 'old' } });
      await storage.put('fill', Buffer.alloc(1_500_000));
      for (const size of [6_000_000, 16_000_000]) {
        const put = storage.put('key', Buffer.alloc(size), { metadata: { version: 'new' } });
        await expect(put).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: true });
      }
      expect(await storage.info('key')).toEqual(old);
      expect(await keysOf(storage)).toEqual(['fill', 'key']);
      expect(query(filename, 'SELECT * FROM "files$uploads"')).toEqual([]);
      await storage.delete('fill');
      await storage.compact();
      await storage.put('key', Buffer.alloc(1_500_000));
      expect((await storage.check()).problems).toEqual([]);
    } finally {
      execFileSync('umount', [folder]);
      await rm(folder, { recursive: true });
    }
  });
});

describe('a file of an older version', () => {
  it('is brought to this one, with all its storages and every object', () =>
    withFile(async (filename) => {
      makeVersion1(filename);
      {
        await using storage = new SQLiteStorage({ filename, durability: 'fast', maxBytes: 41_000 });
        expect(await keysOf(storage)).toEqual(['large.txt', 'small.txt']);
        expect(await storage.info('small.txt')).toMatchObject({ etag: 'e-1', metadata: { of: 'files' } });
        expect(
          (await storage.getBytes('large.txt')).equals(
            Buffer.concat([Buffer.alloc(16_384, 0), Buffer.alloc(16_384, 1), Buffer.alloc(7232, 2)]),
          ),
        ).toBe(true);
        // the sum of all sizes was counted
        await expect(storage.put('a', Buffer.alloc(1000))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
        await storage.put('a', 'a', { checksum: { crc32: 'e8b7be43' } });
        expect((await storage.check()).problems).toEqual([]);
      }
      await using photos = new SQLiteStorage({ filename, durability: 'fast', tableName: 'photos' });
      expect((await photos.check()).problems).toEqual([]);
      expect(await photos.info('large.txt')).toMatchObject({ metadata: { of: 'photos' } });
      expect(query(filename, 'PRAGMA user_version')).toEqual([{ user_version: 2 }]);
    }));

  it('stays as it was when that fails', () =>
    withFile(async (filename) => {
      makeVersion1(filename);
      const db = new Database(filename);
      db.exec('DROP TABLE photos');
      db.close();
      await expect(new SQLiteStorage({ filename }).open()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(query(filename, 'PRAGMA user_version')).toEqual([{ user_version: 1 }]);
      expect(query(filename, "SELECT name FROM sqlite_schema WHERE name LIKE 'files$totals'")).toEqual([]);
    }));
});

describe('the settings', () => {
  it.each<[string, unknown, string]>([
    ['no object', undefined, 'The settings'],
    ['no filename', {}, 'filename'],
    ['an empty filename', { filename: '' }, 'filename'],
    ['a filename with a NUL', { filename: 'a\0b' }, 'filename'],
    ['a table name with a quote', { filename: 'a', tableName: 'a"; DROP TABLE files; --' }, 'tableName'],
    ['a table name that begins with a digit', { filename: 'a', tableName: '1a' }, 'tableName'],
    ["one of SQLite's own names", { filename: 'a', tableName: 'sqlite_master' }, 'tableName'],
    ["one of this package's own names", { filename: 'a', tableName: 'nestjs_storages_owners' }, 'tableName'],
    ['a small chunk size', { filename: 'a', chunkSize: 1000 }, 'chunkSize'],
    ['a large inline size', { filename: 'a', inlineSize: 2 ** 21 }, 'inlineSize'],
    ['another durability', { filename: 'a', durability: 'none' }, 'durability'],
    ['a negative time', { filename: 'a', busyTimeout: -1 }, 'busyTimeout'],
    ['half a byte', { filename: 'a', maxBytes: 0.5 }, 'maxBytes'],
    ['a misspelt field', { filename: 'a', table: 'files' }, 'table'],
  ])('are refused with %s, and the field is named', (_what, config, field) => {
    expect(() => new SQLiteStorage(config as SQLiteStorageConfig)).toThrow(
      expect.objectContaining({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringContaining(`SQLiteStorage: ${field} `) as unknown,
      }),
    );
  });
});

describe('several storages in one file', () => {
  it('keep their objects apart', () =>
    withStorage(async (files, filename) => {
      await using photos = new SQLiteStorage({ filename, durability: 'fast', tableName: 'photos' });
      await using chunks = new SQLiteStorage({ filename, durability: 'fast', tableName: 'files_chunks' });
      await files.put('a', Buffer.alloc(300_000, 1));
      await photos.put('a', Buffer.alloc(300_000, 2));
      await chunks.put('b', 'b');
      expect((await files.getBytes('a'))[0]).toBe(1);
      expect((await photos.getBytes('a'))[0]).toBe(2);
      await photos.delete('a');
      expect(await keysOf(files)).toEqual(['a']);
      expect(await keysOf(chunks)).toEqual(['b']);
      for (const storage of [files, photos, chunks]) expect((await storage.check()).problems).toEqual([]);
    }));
});
