import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { collect, expectContent, expectListed, expectSameFile, expectUnchanged } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { streamInChunks } from '../sources/streams.js';

const ALL_ATTRIBUTES = {
  contentType: 'text/html; charset=utf-8',
  metadata: { Owner: 'Ada', note: 'äöü 😀' },
  cacheControl: 'max-age=60',
  contentDisposition: 'attachment; filename="a.html"',
  contentEncoding: 'gzip',
} as const;

export const putReplaces = promise(
  'put replaces an object, its bytes and its attributes, wholly',
  ['shorter', 'longer', 'empty', 'equally long'].map((kind) => ({
    name: `put replaces an object by ${kind} bytes`,
    run: async ({ storage, key }) => {
      const sizes: Record<string, number> = { shorter: 10, longer: 300_000, empty: 0, 'equally long': 100_000 };
      const bytes = bytesOf(sizes[kind] ?? 0, 2);
      await storage.put(key('a'), streamInChunks(bytesOf(100_000, 1), 30_000));
      const file = await storage.put(key('a'), streamInChunks(bytes, 30_000));
      assert.equal(file.size, bytes.length);
      await expectUnchanged(storage, file, bytes);
    },
  })),
  {
    name: 'put replaces metadata wholly, and keeps no name of the old one',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'old', { metadata: { one: '1', two: '2' } });
      await storage.put(key('a'), 'new', { metadata: { two: 'II' } });
      assert.deepEqual((await storage.info(key('a'))).metadata, { two: 'II' });
    },
  },
  {
    name: 'put without attributes drops those of the old object',
    run: async ({ storage, key }) => {
      await storage.put(key('a.txt'), 'old', ALL_ATTRIBUTES);
      await storage.put(key('a.txt'), 'new');
      const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = await storage.info(
        key('a.txt'),
      );
      assert.deepEqual(
        { contentType, metadata, cacheControl, contentDisposition, contentEncoding },
        {
          contentType: 'text/plain',
          metadata: {},
          cacheControl: undefined,
          contentDisposition: undefined,
          contentEncoding: undefined,
        },
      );
    },
  },
  {
    name: 'put of the same bytes with other attributes replaces the attributes',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'same', { contentType: 'text/plain' });
      const file = await storage.put(key('a'), 'same', ALL_ATTRIBUTES);
      await expectUnchanged(storage, file, 'same');
    },
  },
  {
    name: 'put twice leaves one object in the listing',
    run: async ({ storage, key, prefix }) => {
      await storage.put(key('a'), 'one');
      const file = await storage.put(key('a'), 'two');
      expectListed(storage, await collect(storage.list(prefix)), [file]);
    },
  },
  {
    name: '20 puts on one key at once leave exactly one of them, with its own attributes',
    run: async ({ storage, key, prefix }) => {
      const files = await Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          storage.put(key('a'), streamInChunks(bytesOf(20_000 + number, number), 3000), {
            metadata: { number: `${number}` },
          }),
        ),
      );
      assert.equal(new Set(files.map((file) => file.etag)).size, 20, 'every version has an etag of its own');
      const file = await storage.info(key('a'));
      const number = Number(file.metadata['number']);
      expectSameFile(storage, file, files[number]);
      await expectContent(storage, key('a'), bytesOf(20_000 + number, number));
      expectListed(storage, await collect(storage.list(prefix)), [file]);
    },
  },
);

export const putReturns = promise(
  'put returns what info then returns',
  {
    name: 'put of bytes without attributes returns what info returns',
    run: async ({ storage, key }) => {
      const file = await storage.put(key('plain'), 'bytes');
      expectSameFile(storage, await storage.info(key('plain')), file);
    },
  },
  {
    name: 'put of a stream with every attribute returns what info returns',
    run: async ({ storage, key }) => {
      const file = await storage.put(key('a/b.html'), streamInChunks(bytesOf(100_000), 9999), ALL_ATTRIBUTES);
      const info = await storage.info(key('a/b.html'));
      expectSameFile(storage, info, file);
      assert.deepEqual(
        { ...file, etag: '', lastModified: 0 },
        {
          ...ALL_ATTRIBUTES,
          metadata: { owner: 'Ada', note: 'äöü 😀' },
          key: key('a/b.html'),
          size: 100_000,
          etag: '',
          lastModified: 0,
        },
      );
    },
  },
  {
    name: 'put returns the canonical key',
    run: async ({ storage, key }) => {
      const file = await storage.put(`/${key('x')}/.//y\\..\\z.txt`, 'z');
      assert.equal(file.key, key('x/z.txt'));
      expectSameFile(storage, await storage.info(key('x/z.txt')), file);
    },
  },
  {
    name: 'put returns what get carries and what list yields',
    run: async ({ storage, key, prefix }) => {
      const file = await storage.put(key('a'), 'bytes', { metadata: { a: '1' } });
      const stream = await storage.get(key('a'));
      stream.destroy();
      expectSameFile(storage, stream.file, file);
      expectListed(storage, await collect(storage.list(prefix)), [file]);
    },
  },
  {
    name: 'what put, get, info and list return cannot be changed',
    run: async ({ storage, key, prefix }) => {
      const put = await storage.put(key('a'), 'bytes', { metadata: { a: '1' } });
      const stream = await storage.get(key('a'));
      stream.destroy();
      const info = await storage.info(key('a'));
      for (const file of [put, stream.file, info, ...(await collect(storage.list(prefix)))]) {
        assert.ok(Object.isFrozen(file), 'the file is frozen');
        assert.ok(Object.isFrozen(file.metadata), 'its metadata is frozen');
      }
    },
  },
  {
    name: 'a date that a caller changes does not change the object',
    run: async ({ storage, key }) => {
      (await storage.put(key('a'), 'bytes')).lastModified.setFullYear(1999);
      const time = (await storage.info(key('a'))).lastModified.getTime();
      assert.ok(time > Date.now() - 3_600_000, 'the object is of 1999');
      (await storage.info(key('a'))).lastModified.setFullYear(1999);
      assert.equal((await storage.info(key('a'))).lastModified.getTime(), time);
    },
  },
);
