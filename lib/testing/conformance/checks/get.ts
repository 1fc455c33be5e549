import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promise, type CheckContext } from '../check.js';
import { expectSameBytes, readAll } from '../expect-stored.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { bytesOf } from '../sources/bytes.js';

export const getRejects = promise(
  'get rejects at the call, before a byte, when there is no object',
  ...(['get', 'getBytes'] as const).map((method) => ({
    name: `${method} of a missing key rejects and names the key`,
    run: async (context: CheckContext) => {
      const call = context.storage[method](context.key('missing'));
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: method, key: context.key('missing') });
    },
  })),
  {
    name: 'get of a prefix of keys rejects: a folder is no object',
    run: async (context) => {
      await context.storage.put(context.key('folder/a'), 'a');
      for (const name of ['folder', 'folder/']) {
        await context.rejects(context.storage.get(context.key(name)), 'FILE_NOT_FOUND', { key: context.key('folder') });
      }
    },
  },
  {
    name: 'get of a key below an object rejects',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'a');
      await context.rejects(context.storage.get(context.key('a/b')), 'FILE_NOT_FOUND', { key: context.key('a/b') });
    },
  },
  {
    name: 'get of a key that was deleted rejects',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'a');
      await context.storage.delete(context.key('a'));
      await context.rejects(context.storage.get(context.key('a')), 'FILE_NOT_FOUND', { key: context.key('a') });
    },
  },
  {
    name: 'get of a missing key rejects whatever range is asked for',
    run: async (context) => {
      const call = context.storage.get(context.key('missing'), { range: { offset: 10 } });
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: 'get' });
    },
  },
);

export const getReadsAhead = promise(
  'get reads ahead only a bounded part',
  {
    name: 'a stream whose reader waits holds at most a part of a large object',
    run: async ({ storage, key, limits }) => {
      await storage.put(key('a'), bytesOf(limits.largeObject));
      const stream = await storage.get(key('a'));
      await once(stream, 'readable');
      // The object is read by others meanwhile: time enough for a stream that does not stop at its mark.
      for (let round = 0; round < 5; round++) await storage.getBytes(key('a'));
      const bound = Math.max(stream.readableHighWaterMark * 2, 1024 * 1024);
      assert.ok(stream.readableLength <= bound, `${stream.readableLength} bytes were read ahead, more than ${bound}`);
      assert.ok(stream.readableLength < limits.largeObject, 'the whole object was read ahead');
      stream.destroy();
      await storage.delete(key('a'));
    },
  },
  {
    name: 'a slow reader gets every byte',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(1_000_000);
      await storage.put(key('a'), bytes);
      const chunks: Buffer[] = [];
      const slow = new Writable({
        highWaterMark: 1,
        write: (chunk: Buffer, _encoding, callback) => {
          chunks.push(chunk);
          setImmediate(callback);
        },
      });
      await pipeline(await storage.get(key('a')), slow);
      expectSameBytes(Buffer.concat(chunks), bytes);
    },
  },
);

export const getBytesGives = promise(
  'getBytes gives the same bytes as get',
  ...[0, 1, 65_536, 65_537, 1_000_000].map((size) => ({
    name: `getBytes of ${size} bytes gives what get streams`,
    run: async ({ storage, key }: CheckContext) => {
      await storage.put(key('a'), bytesOf(size));
      const bytes = await storage.getBytes(key('a'));
      assert.ok(Buffer.isBuffer(bytes), 'getBytes must give a Buffer');
      expectSameBytes(bytes, await readAll(await storage.get(key('a'))));
      assert.equal(bytes.length, size);
    },
  })),
  {
    name: 'getBytes takes range and conditions as get does',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), '0123456789');
      assert.equal(
        (await storage.getBytes(key('a'), { range: { offset: 2, length: 3 }, ifMatch: etag })).toString(),
        '234',
      );
      assert.equal((await storage.getBytes(key('a'), { range: { suffix: 2 } })).toString(), '89');
      await context.rejects(storage.getBytes(key('a'), { range: { offset: 10 } }), 'RANGE_NOT_SATISFIABLE', {
        operation: 'getBytes',
      });
      await context.rejects(storage.getBytes(key('a'), { ifMatch: `${etag}x` }), 'PRECONDITION_FAILED');
      await context.rejects(storage.getBytes(key('a'), { ifNoneMatch: etag }), 'PRECONDITION_FAILED');
    },
  },
  {
    name: 'getBytes leaves no file open',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(200_000));
      await storage.getBytes(key('a'));
      const before = openFiles();
      for (let round = 0; round < 20; round++) await storage.getBytes(key('a'), { range: { offset: round } });
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
);
