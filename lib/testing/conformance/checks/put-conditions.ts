import assert from 'node:assert/strict';
import type { PutOptions, Storage, StoredFile } from '../../../contract/index.js';
import { promise, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectSameFile, expectUnchanged } from '../expect-stored.js';
import { PushedSource } from '../sources/pushed-source.js';
import { streamOf } from '../sources/streams.js';

/** Begins a put, lets another change the key before its source ends, and gives back how the put ended. */
async function overtaken(
  { storage }: CheckContext,
  key: string,
  options: PutOptions,
  meanwhile: () => Promise<unknown>,
): Promise<{ readonly put: Promise<StoredFile>; readonly source: PushedSource }> {
  const source = new PushedSource();
  const put = storage.put(key, source, options);
  void put.catch(() => undefined);
  await source.give('slow');
  await meanwhile();
  source.end();
  return { put, source };
}

/** More refusals than that are none by somebody who was faster. */
const ATTEMPTS = 1_000;

/** Adds 1 to the number that an object holds, again and again until nobody was faster. */
async function increment(storage: Storage, key: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stream = await storage.get(key);
    const chunks = await collect(stream as AsyncIterable<Buffer>);
    const next = Number(Buffer.concat(chunks).toString()) + 1;
    try {
      await storage.put(key, streamOf(`${next}`), { ifMatch: stream.file.etag });
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'PRECONDITION_FAILED') throw error;
    }
  }
  assert.fail(`the version that was just read was refused ${ATTEMPTS} times`);
}

export const putConditions = promise(
  'put with a condition is decided at the commit, by one winner',
  {
    name: 'ifNoneMatch creates where there is no object',
    needs: 'createOnly',
    run: async ({ storage, key }) => {
      const file = await storage.put(key('a'), 'new', { ifNoneMatch: '*' });
      await expectUnchanged(storage, file, 'new');
    },
  },
  ...(['bytes', 'a stream'] as const).map((kind) => ({
    name: `ifNoneMatch with ${kind} refuses an object that is there, and leaves it as it was`,
    needs: 'createOnly' as const,
    run: async (context: CheckContext) => {
      const { storage, key } = context;
      const old = await storage.put(key('a'), 'old', { metadata: { version: 'old' } });
      const source = streamOf('new');
      const put = storage.put(key('a'), kind === 'bytes' ? 'new' : source, { ifNoneMatch: '*' });
      await context.rejects(put, 'FILE_EXISTS', { operation: 'put', key: key('a') });
      if (kind === 'a stream') assert.equal(source.destroyed, true, 'the source was not destroyed');
      await expectUnchanged(storage, old, 'old');
      await context.expectNoLeftovers();
    },
  })),
  {
    name: 'ifNoneMatch creates again where the object was deleted',
    needs: 'createOnly',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'first', { ifNoneMatch: '*' });
      await storage.delete(key('a'));
      await storage.put(key('a'), 'second', { ifNoneMatch: '*' });
      await expectContent(storage, key('a'), 'second');
    },
  },
  {
    name: 'ifNoneMatch is no hindrance beside objects of similar names',
    needs: 'createOnly',
    run: async ({ storage, key }) => {
      for (const name of ['a/b', 'a.', 'A', 'aa']) await storage.put(key(name), name);
      await storage.put(key('a'), 'new', { ifNoneMatch: '*' });
      await expectContent(storage, key('a'), 'new');
    },
  },
  {
    name: 'ifNoneMatch is decided when the source has ended, not when the put begins',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key } = context;
      const { put } = await overtaken(context, key('a'), { ifNoneMatch: '*' }, () => storage.put(key('a'), 'faster'));
      await context.rejects(put, 'FILE_EXISTS', { operation: 'put', key: key('a') });
      await expectContent(storage, key('a'), 'faster');
      await context.expectNoLeftovers();
    },
  },
  ...(['bytes', 'streams'] as const).map((kind) => ({
    name: `many racing creates of ${kind} have one winner, whose object stays`,
    needs: 'createOnly' as const,
    run: async (context: CheckContext) => {
      const { storage, key, limits } = context;
      const puts = Array.from({ length: limits.racers }, (_, number) => {
        const body = `racer ${number}`;
        return storage.put(key('a'), kind === 'bytes' ? body : streamOf(body), {
          ifNoneMatch: '*',
          metadata: { number: `${number}` },
        });
      });
      const results = await Promise.allSettled(puts);
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_EXISTS', { operation: 'put' });
      }
      assert.equal(winners.length, 1, `${winners.length} of ${limits.racers} creates were told that they had won`);
      const [winner] = winners;
      expectSameFile(storage, await storage.info(key('a')), winner);
      await expectContent(storage, key('a'), `racer ${winner?.metadata['number'] ?? ''}`);
      await context.expectNoLeftovers();
    },
  })),
  {
    name: 'ifMatch replaces the version that was meant',
    needs: 'compareAndSwap',
    run: async ({ storage, key }) => {
      const { etag } = await storage.put(key('a'), 'old');
      const file = await storage.put(key('a'), 'new', { ifMatch: etag });
      assert.notEqual(file.etag, etag);
      await expectUnchanged(storage, file, 'new');
    },
  },
  {
    name: 'ifMatch refuses another version, and leaves it as it was',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'first');
      const second = await storage.put(key('a'), 'second');
      const source = streamOf('third');
      await context.rejects(storage.put(key('a'), source, { ifMatch: etag }), 'PRECONDITION_FAILED', {
        operation: 'put',
        key: key('a'),
      });
      assert.equal(source.destroyed, true, 'the source was not destroyed');
      await expectUnchanged(storage, second, 'second');
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'ifMatch refuses where there is no object, and creates none',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'old');
      await storage.delete(key('a'));
      await context.rejects(storage.put(key('a'), 'new', { ifMatch: etag }), 'PRECONDITION_FAILED', { key: key('a') });
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'ifMatch is decided when the source has ended, not when the put begins',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'old');
      const { put } = await overtaken(context, key('a'), { ifMatch: etag }, () => storage.put(key('a'), 'faster'));
      await context.rejects(put, 'PRECONDITION_FAILED', { operation: 'put', key: key('a') });
      await expectContent(storage, key('a'), 'faster');
    },
  },
  {
    name: 'ifMatch refuses a version that was deleted while the source was read',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'old');
      const { put } = await overtaken(context, key('a'), { ifMatch: etag }, () => storage.delete(key('a')));
      await context.rejects(put, 'PRECONDITION_FAILED', { operation: 'put', key: key('a') });
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'many racing replacements of one version have one winner',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key, limits } = context;
      const { etag } = await storage.put(key('a'), 'old');
      const results = await Promise.allSettled(
        Array.from({ length: limits.racers }, (_, number) =>
          storage.put(key('a'), streamOf(`racer ${number}`), { ifMatch: etag, metadata: { number: `${number}` } }),
        ),
      );
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'PRECONDITION_FAILED');
      }
      assert.equal(winners.length, 1, `${winners.length} replacements were told that they had won`);
      expectSameFile(storage, await storage.info(key('a')), winners[0]);
    },
  },
  {
    name: 'five workers that each add 1 ten times, by reading and writing with ifMatch, end at 50',
    needs: 'compareAndSwap',
    run: async ({ storage, key }) => {
      await storage.put(key('counter'), '0');
      const worker = async (): Promise<void> => {
        for (let round = 0; round < 10; round++) await increment(storage, key('counter'));
      };
      await Promise.all(Array.from({ length: 5 }, worker));
      await expectContent(storage, key('counter'), '50');
    },
  },
);
