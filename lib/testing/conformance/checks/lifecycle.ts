import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Storage, StoredFileStream } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { collect, expectSameBytes, readAll } from '../expect-stored.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { bytesOf } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { streamClosed } from '../stream-closed.js';

/** Every method, with arguments that would otherwise do. */
export const CALLS: readonly (readonly [string, (storage: Storage, signal?: AbortSignal) => Promise<unknown>])[] = [
  ['put', (storage, signal) => storage.put('a', 'a', { signal })],
  ['stage', (storage, signal) => storage.stage('a', 'a', { signal })],
  ['get', (storage, signal) => storage.get('a', { signal })],
  ['getBytes', (storage, signal) => storage.getBytes('a', { signal })],
  ['info', (storage, signal) => storage.info('a', { signal })],
  ['exists', (storage, signal) => storage.exists('a', { signal })],
  ['delete', (storage, signal) => storage.delete('a', { signal, force: true })],
  ['deleteMany', (storage, signal) => storage.deleteMany(['a'], { signal })],
  ['deletePrefix', (storage, signal) => storage.deletePrefix('a', { signal })],
  ['list', (storage, signal) => collect(storage.list('', { signal }))],
  ['listEntries', (storage, signal) => collect(storage.listEntries('', { signal }))],
  ['copy', (storage, signal) => storage.copy('a', 'b', { signal })],
  ['move', (storage, signal) => storage.move('a', 'b', { signal })],
  ['url', (storage, signal) => storage.url('a', { signal })],
];

const refusedAfterClose: readonly CheckBody[] = [
  ...CALLS,
  ['uploadUrl', (storage: Storage) => storage.uploadUrl('a', { expiresIn: 60 })] as const,
].map(([method, call]) => ({
  name: `${method} after close is refused with a StorageClosedError`,
  fresh: true,
  run: async (context) => {
    await context.storage.put('a', 'a');
    await context.storage.close();
    await context.rejects(call(context.storage), 'STORAGE_CLOSED', { operation: method as 'put' });
  },
}));

/** Hears a stream's end, however it ends. */
async function failureOf(stream: StoredFileStream): Promise<unknown> {
  try {
    await readAll(stream);
    return undefined;
  } catch (error) {
    return error;
  }
}

export const closes = promise(
  'close may be called twice, lets work in flight settle, and later calls are refused',
  {
    name: 'close may be called again, at once and later',
    fresh: true,
    run: async ({ storage }) => {
      await storage.put('a', 'a');
      await Promise.all([storage.close(), storage.close()]);
      await storage.close();
    },
  },
  {
    name: 'close of a storage that was never used',
    fresh: true,
    run: async ({ storage }) => {
      await storage.close();
    },
  },
  {
    name: 'leaving a block with `await using` closes the storage',
    fresh: true,
    run: async (context) => {
      await context.storage[Symbol.asyncDispose]();
      await context.rejects(context.storage.exists('a'), 'STORAGE_CLOSED', { operation: 'exists' });
    },
  },
  refusedAfterClose,
  {
    name: 'put after close destroys its source, unread',
    fresh: true,
    run: async (context) => {
      await context.storage.close();
      const source = new PushedSource();
      await context.rejects(context.storage.put('a', source), 'STORAGE_CLOSED');
      assert.deepEqual([source.destroyed, source.asked], [true, false]);
    },
  },
  {
    name: 'close lets a put that has begun settle',
    fresh: true,
    run: async ({ storage }) => {
      const source = new PushedSource();
      let ended = false;
      const put = storage.put('a', source).finally(() => {
        ended = true;
      });
      await source.give('first, ');
      let closed = false;
      const closing = storage.close().then(async () => {
        closed = true;
        // a wrapper hands on what the call and close have come to in steps of its own: these are let end
        await nextTurn();
        return ended;
      });
      await source.give('second');
      await nextTurn();
      const early = closed;
      source.end();
      assert.equal((await put).size, 13);
      assert.deepEqual([early, await closing], [false, true], 'close has ended before the put');
    },
  },
  {
    name: 'a put that close has waited for is stored',
    needs: 'persistent',
    fresh: true,
    run: async (context) => {
      const source = new PushedSource();
      const put = context.storage.put('a', source);
      await source.give('bytes');
      const reopened = context.reopen();
      source.end();
      await put;
      const storage = await reopened;
      assert.equal((await storage.getBytes('a')).toString(), 'bytes');
    },
  },
  {
    name: 'close lets many calls that have begun settle',
    fresh: true,
    run: async ({ storage }) => {
      await storage.put('a', bytesOf(200_000));
      const calls = [
        ...Array.from({ length: 10 }, (_, number) => storage.put(`put/${number}`, bytesOf(50_000))),
        ...Array.from({ length: 10 }, () => storage.getBytes('a')),
        ...Array.from({ length: 10 }, (_, number) => storage.copy('a', `copy/${number}`)),
      ];
      const results = Promise.allSettled(calls);
      await storage.close();
      for (const result of await results) assert.equal(result.status, 'fulfilled');
    },
  },
  {
    name: 'a stream that is open when the storage closes fails with a StorageClosedError, and leaves no file open',
    fresh: true,
    run: async (context) => {
      const { storage, limits } = context;
      await storage.put('a', bytesOf(limits.largeObject));
      const before = openFiles();
      const read = await storage.get('a');
      const unread = await storage.get('a');
      await once(read, 'readable');
      const failure = failureOf(read);
      await storage.close();
      context.expectError(await failure, 'STORAGE_CLOSED', { key: 'a' });
      await streamClosed(unread);
      assert.equal(unread.destroyed, true);
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'what is staged when the storage closes cannot be committed, and leaves nothing',
    fresh: true,
    run: async (context) => {
      const { storage } = context;
      const before = openFiles();
      const staged = await storage.stage('a', bytesOf(100_000));
      await storage.close();
      await context.rejects(staged.commit(), 'STORAGE_CLOSED', { operation: 'commit', key: 'a' });
      await staged.abort();
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'a listing that is open when the storage closes is refused at its next step',
    fresh: true,
    run: async (context) => {
      const { storage } = context;
      for (const key of ['a', 'b', 'c']) await storage.put(key, key);
      const iterator = storage.list()[Symbol.asyncIterator]();
      await iterator.next();
      await storage.close();
      await context.rejects(iterator.next(), 'STORAGE_CLOSED', { operation: 'list' });
      assert.equal((await iterator.next()).done, true);
    },
  },
  {
    name: 'closing one storage leaves another open',
    fresh: true,
    run: async (context) => {
      const other = await context.create();
      await other.put('a', 'other');
      await context.storage.close();
      expectSameBytes(await other.getBytes('a'), Buffer.from('other'));
    },
  },
  {
    name: 'a storage that was used and closed has no file open any more',
    run: async (context) => {
      const warm = await context.create();
      await warm.put('a', 'a');
      await warm.close();
      const before = openFiles();
      const storage = await context.create();
      await storage.put('a/b', bytesOf(100_000), { metadata: { a: '1' } });
      await readAll(await storage.get('a/b'));
      await storage.copy('a/b', 'c');
      await collect(storage.list());
      await storage.close();
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
);
