import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { at, collect } from '../expect-stored.js';

/** Milliseconds by which two clocks of one system may differ, and S3's whole seconds. */
const CLOCKS = 2000;

export const info = promise(
  'info has every field, and its etag and date tell versions apart',
  {
    name: 'info has key, size, contentType, etag, lastModified and metadata, each of its type',
    run: async ({ storage, key }) => {
      await storage.put(key('a.txt'), 'four');
      const file = await storage.info(key('a.txt'));
      assert.deepEqual(Object.keys(file).sort(), ['contentType', 'etag', 'key', 'lastModified', 'metadata', 'size']);
      assert.deepEqual(
        [file.key, file.size, file.contentType, typeof file.etag, file.metadata],
        [key('a.txt'), 4, 'text/plain', 'string', {}],
      );
      assert.ok(!Number.isNaN(file.lastModified.getTime()), 'lastModified is a date');
    },
  },
  {
    name: 'info of a missing key names the key',
    run: async (context) => {
      const call = context.storage.info(`/${context.key('x/../missing')}`);
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: 'info', key: context.key('missing') });
    },
  },
  {
    name: 'info of a folder, and of a key below an object, is about a missing key',
    run: async (context) => {
      await context.storage.put(context.key('folder/a'), 'a');
      for (const name of ['folder', 'folder/a/b']) {
        await context.rejects(context.storage.info(context.key(name)), 'FILE_NOT_FOUND', { key: context.key(name) });
      }
    },
  },
  {
    name: 'the etag is not empty, has no quotes, and can stand in a header',
    run: async ({ storage, key }) => {
      const { etag } = await storage.put(key('a'), '');
      assert.match(etag, /^[!#-~]+$/);
    },
  },
  {
    name: 'the etag is the same in put, get, info and list, and stays while the object does',
    run: async ({ storage, key, prefix }) => {
      const { etag } = await storage.put(key('a'), 'bytes', { metadata: { a: '1' } });
      for (let round = 0; round < 3; round++) {
        const stream = await storage.get(key('a'));
        stream.destroy();
        const listed = at(await collect(storage.list(prefix)), 0);
        const info = await storage.info(key('a'));
        assert.deepEqual([stream.file.etag, info.etag, listed.etag], [etag, etag, etag]);
        await storage.put(`${key('b')}${round}`, 'another object');
      }
    },
  },
  {
    name: 'the etag changes with the bytes, also when the length stays, each time',
    run: async ({ storage, key }) => {
      const etags = new Set<string>();
      for (let round = 10; round < 60; round++) etags.add((await storage.put(key('a'), `${round}`)).etag);
      assert.equal(etags.size, 50, `50 versions have ${etags.size} etags`);
    },
  },
  {
    name: 'the etag is another one after the object was deleted and put with other bytes',
    run: async ({ storage, key }) => {
      const first = await storage.put(key('a'), '1');
      await storage.delete(key('a'));
      const second = await storage.put(key('a'), '2');
      assert.notEqual(first.etag, second.etag);
    },
  },
  {
    name: 'the etag changes with the attributes alone',
    needs: 'etagCoversAttributes',
    run: async ({ storage, key }) => {
      const etags = [
        await storage.put(key('a'), 'same'),
        await storage.put(key('a'), 'same', { metadata: { a: '1' } }),
        await storage.put(key('a'), 'same', { metadata: { a: '2' } }),
        await storage.put(key('a'), 'same', { contentType: 'text/plain' }),
        await storage.put(key('a'), 'same', { cacheControl: 'no-store' }),
      ].map((file) => file.etag);
      assert.equal(new Set(etags).size, etags.length, `these etags repeat: ${etags.join(', ')}`);
    },
  },
  {
    name: 'lastModified is about now',
    run: async ({ storage, key }) => {
      const before = Date.now();
      const { lastModified } = await storage.put(key('a'), 'a');
      const after = Date.now();
      assert.ok(lastModified.getTime() >= before - CLOCKS, `${lastModified.toISOString()} is in the past`);
      assert.ok(lastModified.getTime() <= after + CLOCKS, `${lastModified.toISOString()} is in the future`);
    },
  },
  {
    name: 'lastModified never goes back from one version to the next',
    run: async ({ storage, key }) => {
      let last = 0;
      for (let round = 0; round < 30; round++) {
        await storage.put(key('a'), `${round}`);
        const now = (await storage.info(key('a'))).lastModified.getTime();
        assert.ok(now >= last, `it went back by ${last - now} ms`);
        last = now;
      }
    },
  },
  {
    name: 'reading changes neither etag nor lastModified',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      const file = await storage.info(key('a'));
      await storage.getBytes(key('a'));
      await storage.exists(key('a'));
      await collect(storage.list(key('a')));
      await storage.copy(key('a'), key('b'));
      assert.deepEqual(await storage.info(key('a')), file);
    },
  },
);
