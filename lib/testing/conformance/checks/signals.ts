import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type { Storage } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { collect, expectListed, expectMissing, expectUnchanged, keysOf, readAll } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { failingStream, streamOf } from '../sources/streams.js';
import { streamClosed } from '../stream-closed.js';
import { CALLS } from './lifecycle.js';

const abortedBefore: readonly CheckBody[] = CALLS.map(([method, call]) => ({
  name: `${method} with a signal that has fired rejects with an AbortError, and changes nothing`,
  fresh: true,
  run: async (context) => {
    const { storage } = context;
    const file = await storage.put('a', 'a');
    await context.rejects(call(storage, AbortSignal.abort()), 'ABORTED', { operation: method as 'put' });
    expectListed(storage, await collect(storage.list()), [file]);
    await expectUnchanged(storage, file, 'a');
    await context.expectNoLeftovers();
  },
}));

type Call = (storage: Storage, key: (name: string) => string, signal: AbortSignal) => Promise<unknown>;

/** Calls that settle, well or not, and must leave the signal as they found it. */
const LISTENING: readonly (readonly [string, Call])[] = [
  ['put of bytes', (storage, key, signal) => storage.put(key('b'), 'b', { signal })],
  ['put of a stream', (storage, key, signal) => storage.put(key('b'), streamOf('b'), { signal })],
  [
    'put of a source that fails',
    (storage, key, signal) =>
      storage.put(key('c'), failingStream([], new Error('broke')), { signal }).catch(() => undefined),
  ],
  [
    'put that is refused',
    (storage, key, signal) => storage.put(key('c'), 'c', { signal, size: 9 }).catch(() => undefined),
  ],
  ['stage and commit', async (storage, key, signal) => (await storage.stage(key('b'), 'b', { signal })).commit()],
  [
    'stage and abort',
    async (storage, key, signal) => (await storage.stage(key('b'), streamOf('b'), { signal })).abort(),
  ],
  ['get, read to the end', async (storage, key, signal) => readToClose(await storage.get(key('a'), { signal }))],
  ['get, destroyed unread', async (storage, key, signal) => destroyed(await storage.get(key('a'), { signal }))],
  ['get of a missing key', (storage, key, signal) => storage.get(key('missing'), { signal }).catch(() => undefined)],
  ['getBytes', (storage, key, signal) => storage.getBytes(key('a'), { signal })],
  ['info', (storage, key, signal) => storage.info(key('a'), { signal })],
  ['exists', (storage, key, signal) => storage.exists(key('a'), { signal })],
  ['delete', (storage, key, signal) => storage.delete(key('missing'), { signal, force: true })],
  ['deleteMany', (storage, key, signal) => storage.deleteMany([key('x'), key('y')], { signal })],
  ['deletePrefix', (storage, key, signal) => storage.deletePrefix(key('missing/'), { signal })],
  ['list', (storage, key, signal) => collect(storage.list(key(''), { signal }))],
  ['list, left by break', (storage, key, signal) => firstOf(storage.list(key(''), { signal }))],
  ['listEntries', (storage, key, signal) => collect(storage.listEntries(key(''), { signal }))],
  ['copy', (storage, key, signal) => storage.copy(key('a'), key('copy'), { signal })],
  [
    'move',
    async (storage, key, signal) => {
      await storage.move(key('a'), key('there'), { signal });
      await storage.move(key('there'), key('a'), { signal });
    },
  ],
  ['url', (storage, key, signal) => storage.url(key('a'), { signal })],
];

const listening: readonly CheckBody[] = LISTENING.map(([what, call]) => ({
  name: `100 calls of ${what} on one signal leave no listener`,
  run: async ({ storage, key }) => {
    await storage.put(key('a'), bytesOf(1000));
    const { signal } = new AbortController();
    let most = 0;
    for (let round = 0; round < 100; round++) {
      await call(storage, key, signal);
      most = Math.max(most, getEventListeners(signal, 'abort').length);
    }
    assert.equal(most, 0, `up to ${most} listeners were left between calls`);
  },
}));

export const signals = promise(
  'A signal aborts a call, and its listeners are gone when the call has settled',
  abortedBefore,
  {
    name: 'a signal that timed out makes a TimeoutError',
    run: async (context) => {
      // as AbortSignal.timeout() makes it, without the wait
      const reason = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      const call = context.storage.put(context.key('a'), 'a', { signal: AbortSignal.abort(reason) });
      const error = await context.rejects(call, 'TIMEOUT', { operation: 'put', key: context.key('a') });
      assert.equal(error.retryable, true);
      await expectMissing(context.storage, context.key('a'));
    },
  },
  {
    name: 'a signal that fires in the middle of a put destroys its source and leaves nothing',
    run: async (context) => {
      const { storage, key } = context;
      const controller = new AbortController();
      const reason = new Error('enough');
      const source = new PushedSource();
      const put = storage.put(key('a'), source, { signal: controller.signal });
      void put.catch(() => undefined);
      await source.give(bytesOf(200_000));
      controller.abort(reason);
      const error = await context.rejects(put, 'ABORTED', { operation: 'put', key: key('a') });
      assert.equal(error.cause, reason);
      assert.equal(source.destroyed, true);
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'a signal that fires while a source says nothing ends the put',
    run: async (context) => {
      const { storage, key } = context;
      const controller = new AbortController();
      const silent = new PushedSource();
      const put = storage.put(key('a'), silent, { signal: controller.signal });
      void put.catch(() => undefined);
      controller.abort();
      await context.rejects(put, 'ABORTED', { operation: 'put' });
      assert.equal(silent.destroyed, true);
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'a signal that fires while an async generator waits for ever ends the put',
    run: async (context) => {
      const { storage, key } = context;
      const controller = new AbortController();
      let begun: (() => void) | undefined;
      const waiting = new Promise<void>((resolve) => (begun = resolve));
      async function* never(): AsyncGenerator<Buffer> {
        yield Buffer.from('a');
        begun?.();
        await new Promise<never>(() => undefined);
      }
      const put = storage.put(key('a'), never(), { signal: controller.signal });
      void put.catch(() => undefined);
      await waiting;
      controller.abort();
      await context.rejects(put, 'ABORTED', { operation: 'put' });
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'a signal that fires in the middle of stage leaves nothing',
    run: async (context) => {
      const { storage, key } = context;
      const controller = new AbortController();
      const source = new PushedSource();
      const stage = storage.stage(key('a'), source, { signal: controller.signal });
      void stage.catch(() => undefined);
      await source.give(bytesOf(200_000));
      controller.abort();
      await context.rejects(stage, 'ABORTED', { operation: 'stage', key: key('a') });
      assert.equal(source.destroyed, true);
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'the signal of stage has no say over the commit',
    run: async ({ storage, key }) => {
      const controller = new AbortController();
      const staged = await storage.stage(key('a'), 'staged', { signal: controller.signal });
      controller.abort();
      await expectUnchanged(storage, await staged.commit(), 'staged');
    },
  },
  {
    name: 'a signal that fires between two steps of a listing ends it with an AbortError',
    run: async (context) => {
      const { storage, key, prefix } = context;
      for (const name of ['a', 'b', 'c']) await storage.put(key(name), name);
      for (const method of ['list', 'listEntries'] as const) {
        const controller = new AbortController();
        const iterator = storage[method](prefix, { signal: controller.signal })[Symbol.asyncIterator]();
        assert.notEqual((await iterator.next()).done, true);
        controller.abort();
        await context.rejects(iterator.next(), 'ABORTED', { operation: method });
        assert.equal((await iterator.next()).done, true);
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
      }
      assert.deepEqual(await keysOf(storage.list(prefix)), ['a', 'b', 'c'].map(key));
    },
  },
  {
    name: 'a signal that fires during deletePrefix stops it, and leaves whole objects',
    run: async (context) => {
      const { storage, key, prefix } = context;
      const names = Array.from({ length: 50 }, (_, number) => key(`${number}`));
      for (const name of names) await storage.put(name, name);
      const controller = new AbortController();
      const call = storage.deletePrefix(prefix, { signal: controller.signal });
      void call.catch(() => undefined);
      controller.abort();
      const [result] = await Promise.allSettled([call]);
      if (result.status === 'rejected') context.expectError(result.reason, 'ABORTED', { operation: 'deletePrefix' });
      for await (const file of storage.list(prefix)) {
        assert.equal((await storage.getBytes(file.key)).toString(), file.key);
      }
    },
  },
  listening,
);

async function readToClose(stream: Readable): Promise<void> {
  await readAll(stream);
  await streamClosed(stream);
}

async function destroyed(stream: Readable): Promise<void> {
  stream.destroy();
  await streamClosed(stream);
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
