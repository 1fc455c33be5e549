import { ConflictException } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  StorageBodyInterceptor,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type UploadOptions,
} from 'nestjs-storages';
import { S3Storage } from 'nestjs-storages/s3';
import { until } from '../until.js';
import { kindOfServer, s3Server, type S3Server } from '../s3/server/s3-server.js';
import { file, partHead, type Part } from './form.js';
import { RoutesApplication } from './routes-application.js';

const MIB = 1024 * 1024;
/** The smallest part that S3 allows. */
const PART = 5 * MIB;

const OPTIONS: UploadOptions = { metadata: ({ originalname }) => ({ name: originalname }) };
const INTERCEPTORS = {
  file: StorageFileInterceptor('file', OPTIONS),
  files: StorageFilesInterceptor('file', 5, OPTIONS),
  fields: StorageFileFieldsInterceptor([{ name: 'file' }], OPTIONS),
  any: AnyStorageFilesInterceptor(OPTIONS),
  body: StorageBodyInterceptor(OPTIONS),
  unit: StorageFileFieldsInterceptor([{ name: 'first' }, { name: 'second' }], {
    limits: { fileSize: 2 * PART },
    fields: { second: { storage: 'second' } },
  }),
};
const EACH = ['file', 'files', 'fields', 'any', 'body'] as const;

/** Of no type that its first bytes would tell, and each block of 4 KiB another one. */
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size, 'No signature. ');
  for (let at = 4096; at + 4 <= size; at += 4096) bytes.writeUInt32BE(at, at);
  return bytes;
}

const small = bytesOf(1000);
const large = bytesOf(PART + 1);
/** For two buckets, of one request and of several parts each. */
const PARTS: readonly Part[] = [
  file(large, 'first', '1.bin'),
  file(small, 'second', '2.bin'),
  file(large, 'second', '3.bin'),
  file(small, 'first', '4.bin'),
];
const conflict = (): never => {
  throw new ConflictException();
};

const server = await s3Server('Uploads into S3');
if (server === undefined) it('Uploads into S3 are not run without a server', () => undefined);
else uploadsInto(server);

function uploadsInto(server: S3Server): void {
  describe('An upload into S3', () => {
    let buckets: readonly [string, string];
    let first: S3Storage;
    let second: S3Storage;
    let application: RoutesApplication;
    let handler: () => unknown;

    beforeAll(async () => {
      buckets = [await server.makeBucket(), await server.makeBucket()];
      const { conditions, settings } = kindOfServer();
      const into = (bucket: string): S3Storage =>
        new S3Storage({ ...server.connection, ...settings, conditions, bucket, partSize: PART });
      first = into(buckets[0]);
      second = into(buckets[1]);
      const storages = { first, second };
      application = await RoutesApplication.start({ routes: INTERCEPTORS, storages, handler: () => handler() });
    });

    beforeEach(async () => {
      handler = () => 'done';
      for (const storage of [first, second]) await storage.deletePrefix('', { all: true });
    });

    afterEach(async () => {
      expect(await openUploads()).toEqual([]);
      expect([first.bufferedBytes, second.bufferedBytes]).toEqual([0, 0]);
    });

    afterAll(async () => {
      await application.close();
      for (const bucket of buckets) await server.removeBucket(bucket);
    });

    const openUploads = async (): Promise<string[]> =>
      (await Promise.all(buckets.map((bucket) => server.openUploads(bucket)))).flat();

    const keys = async (): Promise<readonly string[]> =>
      (await Promise.all(buckets.map((bucket) => server.keys(bucket)))).flat();

    const send = (path: (typeof EACH)[number], data: Buffer): Promise<{ readonly status: number }> =>
      path === 'body'
        ? application.send('body', data, { 'Content-Type': 'application/octet-stream' })
        : application.post(path, file(data));

    describe.each(EACH)('by the interceptor of %s', (path) => {
      it.each([0, 10, PART, PART + 1])('of %i bytes lies there byte for byte, with its attributes', async (size) => {
        const data = bytesOf(size);
        expect((await send(path, data)).status).toBe(200);
        const [key = '', ...others] = await keys();
        expect(others).toEqual([]);
        expect(await first.info(key)).toMatchObject({ size, contentType: 'application/octet-stream' });
        expect((await first.getBytes(key)).equals(data)).toBe(true);
      });

      it.each([10, PART + 1])('of %i bytes leaves nothing when the handler fails', async (size) => {
        handler = conflict;
        expect((await send(path, bytesOf(size))).status).toBe(409);
        expect(await keys()).toEqual([]);
      });

      it('waits at the server in parts, and leaves nothing when its client vanishes', async () => {
        const client = await application.connect();
        const head = path === 'body' ? Buffer.alloc(0) : partHead({ name: 'file', filename: 'a.bin' });
        const type = path === 'body' ? { 'Content-Type': 'application/octet-stream' } : undefined;
        client.head({ 'Content-Length': String(50 * MIB), ...type }, `/${path}`);
        await client.send(Buffer.concat([head, bytesOf(2 * PART)]));
        await until('a part has come', async () => (await openUploads()).length > 0);
        expect(await keys()).toEqual([]);
        client.destroy();
        await until('nothing is left', async () => (await openUploads()).length === 0 && first.bufferedBytes === 0);
        expect(await keys()).toEqual([]);
      });
    });

    describe('of one form for two buckets', () => {
      it('is stored in both of them before the handler runs', async () => {
        let seen: readonly string[] = [];
        handler = async () => {
          seen = await keys();
        };
        expect((await application.post('unit', ...PARTS)).status).toBe(200);
        expect(seen).toHaveLength(PARTS.length);
        for (const storage of [first, second]) {
          const sizes: number[] = [];
          for await (const { size } of storage.list()) sizes.push(size);
          expect(sizes.sort((a, b) => a - b)).toEqual([small.length, large.length]);
        }
      });

      it.each<[why: string, status: number, parts: readonly Part[], failing: (() => never) | undefined]>([
        ['its handler fails', 409, PARTS, conflict],
        ['its last file is too large', 413, [...PARTS, file(bytesOf(2 * PART + 1), 'second')], undefined],
        ['a field is not taken', 400, [...PARTS, file(large, 'third')], undefined],
      ])('leaves nothing in either of them when %s', async (_why, status, parts, failing) => {
        await first.put('before', 'before');
        if (failing !== undefined) handler = failing;
        expect((await application.post('unit', ...parts)).status).toBe(status);
        expect(await keys()).toEqual(['before']);
      });
    });
  });
}
