import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { collect, expectContent, expectMissing, expectUnchanged } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { streamInChunks } from '../sources/streams.js';

export const putPersists = promise(
  'put that was acknowledged is there after reopening',
  {
    name: 'bytes and every attribute are there after reopening',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      const bytes = bytesOf(300_000);
      const file = await context.storage.put('folder/ä 😀.html', streamInChunks(bytes, 9999), {
        contentType: 'text/html; charset=utf-8',
        metadata: { owner: 'Ada', note: 'äöü 😀' },
        cacheControl: 'max-age=60',
        contentDisposition: 'attachment; filename="a.html"',
        contentEncoding: 'gzip',
      });
      const plain = await context.storage.put('plain', 'plain');
      const storage = await context.reopen();
      await expectUnchanged(storage, file, bytes);
      await expectUnchanged(storage, plain, 'plain');
      const files = await collect(storage.list());
      assert.deepEqual(
        files.map(({ key, size, etag }) => ({ key, size, etag })),
        [file, plain].map(({ key, size, etag }) => ({ key, size, etag })),
      );
    },
  },
  {
    name: 'the last of several versions is there after reopening',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      for (const version of ['1', '2', '3']) await context.storage.put('a', version, { metadata: { version } });
      const file = await context.storage.info('a');
      await expectUnchanged(await context.reopen(), file, '3');
    },
  },
  {
    name: 'what was deleted, moved and copied is so after reopening',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      await context.storage.put('deleted', 'deleted');
      await context.storage.put('moved', 'moved', { metadata: { a: '1' } });
      await context.storage.put('copied', 'copied');
      await context.storage.delete('deleted');
      await context.storage.move('moved', 'there/moved');
      const copy = await context.storage.copy('copied', 'copy');
      const storage = await context.reopen();
      await expectMissing(storage, 'deleted');
      await expectMissing(storage, 'moved');
      assert.deepEqual((await storage.info('there/moved')).metadata, { a: '1' });
      await expectContent(storage, 'there/moved', 'moved');
      await expectUnchanged(storage, copy, 'copied');
    },
  },
  {
    name: 'an etag from before matches after reopening, and the next version has another',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      const { etag } = await context.storage.put('a', 'one');
      const storage = await context.reopen();
      const stream = await storage.get('a', { ifMatch: etag });
      stream.destroy();
      const next = await storage.put('a', 'two', context.capabilities.compareAndSwap ? { ifMatch: etag } : {});
      assert.notEqual(next.etag, etag);
    },
  },
  {
    name: 'what was staged and not committed is gone after reopening',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      await context.storage.stage('a', bytesOf(100_000));
      const storage = await context.reopen();
      await expectMissing(storage, 'a');
      assert.deepEqual(await collect(storage.list()), []);
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'odd keys are there after reopening',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      const keys = [
        '.env',
        '...',
        ' a ',
        'a',
        'a/b',
        'A',
        'a%2Fb',
        'a.',
        'CON',
        `${'x'.repeat(300)}/y`,
        '\u00e9',
        'e\u0301',
      ];
      for (const key of keys) await context.storage.put(key, key);
      const storage = await context.reopen();
      for (const key of keys) await expectContent(storage, key, key);
      assert.equal((await collect(storage.list())).length, keys.length);
    },
  },
);
