import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConflictException } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  FileSystemStorage,
  StorageBodyInterceptor,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type Storage,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { eventually, query } from '../sqlite/temporary-database.js';
import { file, partHead, type Part } from './form.js';
import { RoutesApplication } from './routes-application.js';

const KIB = 1024;
/** In a row, the longest that lies in one, the shortest that does not, and many chunks of 512 KiB. */
const SIZES = [0, 10, 64 * KIB, 64 * KIB + 1, 3 * 1024 * KIB + 7];

const OPTIONS: UploadOptions = { metadata: ({ originalname }) => ({ name: originalname }) };
const FIELDS = [{ name: 'first' }, { name: 'second' }, { name: 'disk' }];
const UNIT: UploadOptions = {
  key: ({ originalname }) => originalname,
  fields: { second: { storage: 'second' }, disk: { storage: 'disk' } },
};
const INTERCEPTORS = {
  file: StorageFileInterceptor('file', OPTIONS),
  files: StorageFilesInterceptor('file', 5, OPTIONS),
  fields: StorageFileFieldsInterceptor([{ name: 'file' }], OPTIONS),
  any: AnyStorageFilesInterceptor(OPTIONS),
  body: StorageBodyInterceptor(OPTIONS),
  unit: StorageFileFieldsInterceptor(FIELDS, { ...UNIT, limits: { fileSize: 1024 * KIB } }),
  after: StorageFileFieldsInterceptor(FIELDS, { ...UNIT, overwrite: true }),
};
const EACH = ['file', 'files', 'fields', 'any', 'body'] as const;

const small = Buffer.alloc(100, 1);
const large = Buffer.alloc(700 * KIB, 2);
/** For two tables of one file, and for the disk. */
const PARTS: readonly Part[] = [
  file(large, 'first', '1.bin'),
  file(small, 'second', '2.bin'),
  file(large, 'second', '3.bin'),
  file(small, 'disk', '4.bin'),
  file(large, 'disk', '5.bin'),
  file(small, 'first', '6.bin'),
];
const conflict = (): never => {
  throw new ConflictException();
};
/** Of no type that its first bytes would tell, and each block of 4 KiB another one. */
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size, 'No signature. ');
  for (let at = 4 * KIB; at + 4 <= size; at += 4 * KIB) bytes.writeUInt32BE(at, at);
  return bytes;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('An upload into SQLite', () => {
  let folder: string;
  let filename: string;
  let storages: { readonly first: SQLiteStorage; readonly second: SQLiteStorage; readonly disk: FileSystemStorage };
  let application: RoutesApplication;
  let handler: () => unknown;

  // One for all tests: the threads of a database take their time to start.
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-upload-'));
    filename = join(folder, 'files.db');
    storages = {
      first: new SQLiteStorage({ filename, durability: 'fast', tableName: 'first' }),
      second: new SQLiteStorage({ filename, durability: 'fast', tableName: 'second' }),
      disk: new FileSystemStorage({ root: join(folder, 'files'), durability: 'fast' }),
    };
    application = await RoutesApplication.start({ routes: INTERCEPTORS, storages, handler: () => handler() });
  });

  beforeEach(async () => {
    handler = () => 'done';
    application.given.length = 0;
    for (const storage of Object.values<Storage>(storages)) await storage.deletePrefix('', { all: true });
  });

  afterEach(untilNothingIsLeft);

  afterAll(async () => {
    // once: two storages on one file wait for a word of each other, every two seconds
    await eventually(() => rows((table) => `SELECT 1 FROM "${table}$garbage"`) === 0);
    const checked = [await storages.first.check(), await storages.second.check()];
    await application.close();
    await rm(folder, { recursive: true });
    expect(checked).toMatchObject([{ problems: [] }, { problems: [] }]);
  });

  /** Every object with its bytes and attributes. */
  async function objects(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const [name, storage] of Object.entries<Storage>(storages)) {
      for await (const { key } of storage.list()) {
        found.push([name, await storage.info(key), sha256(await storage.getBytes(key))]);
      }
    }
    return found;
  }

  const keys = async (): Promise<unknown> => {
    const found: string[] = [];
    for (const [name, storage] of Object.entries<Storage>(storages)) {
      for await (const { key } of storage.list()) found.push(`${name} ${key}`);
    }
    return found;
  };

  const rows = (sql: (table: string) => string): number =>
    ['first', 'second'].reduce((sum, table) => sum + query(filename, sql(table)).length, 0);

  /** Resolves when no upload is unfinished, each chunk is an object's or given up, and no temporary file is there. */
  async function untilNothingIsLeft(): Promise<void> {
    await eventually(
      async () =>
        rows((table) => `SELECT 1 FROM "${table}$uploads"`) === 0 &&
        rows(
          (table) =>
            `SELECT 1 FROM "${table}$chunks" WHERE generation NOT IN (SELECT generation FROM "${table}" WHERE generation IS NOT NULL
             UNION SELECT generation FROM "${table}$garbage")`,
        ) === 0 &&
        (await readdir(join(folder, 'files', '.storages', 'tmp')).catch(() => [])).length === 0,
    );
  }

  /** Sends one file, as the interceptor of the path takes it. */
  const send = (path: (typeof EACH)[number], data: Buffer): ReturnType<RoutesApplication['send']> =>
    path === 'body'
      ? application.send(path, data, {
          'Content-Type': 'application/octet-stream',
          'Content-Disposition': 'attachment; filename="a.bin"',
        })
      : application.post(path, file(data));

  describe.each(EACH)('by the interceptor of %s', (path) => {
    it.each(SIZES)('of %i bytes lies there byte for byte, with its attributes', async (size) => {
      const data = bytesOf(size);
      expect((await send(path, data)).status).toBe(200);
      const stored = await objects();
      expect(stored).toEqual([
        [
          'first',
          expect.objectContaining({ size, contentType: 'application/octet-stream', metadata: { name: 'a.bin' } }),
          sha256(data),
        ],
      ]);
      const [given] = application.given;
      const upload = [given?.file, given?.files].flat().find((each) => each !== undefined) as
        StoredUpload | Record<string, StoredUpload[]>;
      const [one] = 'key' in upload ? [upload as StoredUpload] : Object.values(upload).flat();
      expect(await storages.first.info(one?.key ?? '')).toMatchObject({
        key: one?.key,
        etag: one?.etag,
        lastModified: one?.lastModified,
      });
    });

    it.each(SIZES)('of %i bytes leaves nothing when the handler fails', async (size) => {
      await storages.first.put('before', large);
      const before = await objects();
      handler = conflict;
      expect((await send(path, bytesOf(size))).status).toBe(409);
      expect(await objects()).toEqual(before);
    });

    it('whose client vanishes in the middle leaves nothing', async () => {
      const client = await application.connect();
      const head = path === 'body' ? Buffer.alloc(0) : partHead({ name: 'file', filename: 'a.bin' });
      const type = path === 'body' ? { 'Content-Type': 'application/octet-stream' } : undefined;
      client.head({ 'Content-Length': String(50 * 1024 * KIB), ...type }, `/${path}`);
      await client.send(Buffer.concat([head, Buffer.alloc(2000 * KIB)]));
      // a part of it is in the database
      await eventually(() => query(filename, 'SELECT 1 FROM "first$uploads"').length === 1);
      client.destroy();
      await untilNothingIsLeft();
      expect(await keys()).toEqual([]);
    });
  });

  describe('of one form for two tables of the file and for the disk', () => {
    it('is stored in all of them before the handler runs', async () => {
      let seen: unknown;
      handler = async () => {
        seen = await keys();
      };
      expect((await application.post('unit', ...PARTS)).status).toBe(200);
      expect(seen).toEqual(['first 1.bin', 'first 6.bin', 'second 2.bin', 'second 3.bin', 'disk 4.bin', 'disk 5.bin']);
      for (const { name, filename: key = '', data } of PARTS) {
        expect((await storages[name as 'first'].getBytes(key)).equals(Buffer.from(data))).toBe(true);
      }
    });

    it.each<[why: string, status: number, parts: readonly Part[], failing: (() => never) | undefined]>([
      ['its handler fails', 409, PARTS, conflict],
      ['its last file is too large', 413, [...PARTS, file(Buffer.alloc(1025 * KIB), 'second', '7.bin')], undefined],
      ['a name is taken in the second table', 409, [...PARTS, file(small, 'second', 'taken')], undefined],
      ['a name is taken on the disk', 409, [...PARTS, file(large, 'disk', 'taken')], undefined],
      ['a field is not taken', 400, [...PARTS, file(large, 'third')], undefined],
    ])('leaves nothing in any of them when %s', async (_why, status, parts, failing) => {
      for (const storage of Object.values<Storage>(storages))
        await storage.put('taken', large, { metadata: { is: 'old' } });
      const before = await objects();
      if (failing !== undefined) handler = failing;
      expect((await application.post('unit', ...parts)).status).toBe(status);
      expect(await objects()).toEqual(before);
    });
  });

  describe('that is committed after the handler', () => {
    it('becomes visible when the handler has succeeded, and replaces what was there', async () => {
      for (const { name, filename: key = '' } of PARTS) await storages[name as 'first'].put(key, 'old');
      let seen: unknown;
      handler = async () => {
        seen = [await storages.first.getBytes('1.bin'), await storages.second.getBytes('3.bin')].map(String);
      };
      expect((await application.post('after', ...PARTS)).status).toBe(200);
      expect(seen).toEqual(['old', 'old']);
      for (const { name, filename: key = '', data } of PARTS) {
        expect((await storages[name as 'first'].getBytes(key)).equals(Buffer.from(data))).toBe(true);
      }
    });

    it('leaves the old files as they were when the handler fails', async () => {
      for (const { name, filename: key = '' } of PARTS) {
        await storages[name as 'first'].put(key, large.subarray(1), { metadata: { is: 'old' } });
      }
      const before = await objects();
      handler = conflict;
      expect((await application.post('after', ...PARTS)).status).toBe(409);
      expect(await objects()).toEqual(before);
    });
  });

  it('of one key 20 times at once, in two tables, is created once in each', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        application.post('unit', file(Buffer.alloc(200_000, i), i % 2 === 0 ? 'first' : 'second', 'one')),
      ),
    );
    const winners = answers.flatMap(({ status }, i) => (status === 200 ? [i] : []));
    expect(winners.map((i) => i % 2).sort()).toEqual([0, 1]);
    for (const i of winners) {
      const storage = storages[i % 2 === 0 ? 'first' : 'second'];
      expect((await storage.getBytes('one')).equals(Buffer.alloc(200_000, i))).toBe(true);
    }
  });
});
