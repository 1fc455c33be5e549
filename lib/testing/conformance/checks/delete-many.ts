import assert from 'node:assert/strict';
import { promise, type CheckBody } from '../check.js';
import { collect, expectContent, expectMissing, keysOf } from '../expect-stored.js';
import { DEFAULT_LIMITS } from '../harness.js';
import { putMany } from './put-many.js';

const counts: readonly CheckBody[] = DEFAULT_LIMITS.deleteCounts.map((_usual, index) => ({
  name: `deleteMany takes a number of keys with a result for each (${['none', 'one', 'a thousand', 'one more', 'many'][index] ?? index})`,
  patience: 2,
  run: async ({ storage, key, prefix, limits }) => {
    const count = limits.deleteCounts[index] ?? 0;
    const keys = Array.from({ length: count }, (_, number) => key(`a/${number}`));
    await storage.put(key('kept'), 'kept');
    await putMany(storage, keys);
    const report = await storage.deleteMany(keys);
    assert.deepEqual([...report.deleted].sort(), keys.sort());
    assert.deepEqual(report.failed, []);
    assert.deepEqual(await keysOf(storage.list(prefix)), [key('kept')]);
  },
}));

export const deleteMany = promise(
  'deleteMany gives a result for each key, and a missing key counts as deleted',
  counts,
  {
    name: 'deleteMany counts missing keys as deleted',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      const report = await storage.deleteMany([key('a'), key('missing'), key('a/below')]);
      assert.deepEqual([...report.deleted].sort(), [key('a'), key('a/below'), key('missing')]);
      assert.deepEqual(report.failed, []);
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'deleteMany takes a key that is given twice, in whatever form, once',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      const report = await storage.deleteMany([key('a'), key('a'), `/${key('./a')}`]);
      assert.deepEqual(report, { deleted: [key('a')], failed: [] });
    },
  },
  {
    name: 'deleteMany takes a generator and a set',
    run: async ({ storage, key }) => {
      await putMany(storage, ['a', 'b', 'c', 'd'].map(key));
      function* generated(): Generator<string> {
        yield key('a');
        yield key('b');
      }
      assert.deepEqual([...(await storage.deleteMany(generated())).deleted].sort(), [key('a'), key('b')]);
      assert.deepEqual((await storage.deleteMany(new Set([key('c')]))).deleted, [key('c')]);
      await expectContent(storage, key('d'), 'x');
    },
  },
  {
    name: 'deleteMany removes no sibling and nothing below',
    run: async ({ storage, key }) => {
      await putMany(storage, ['a', 'a/b', 'aa'].map(key));
      await storage.deleteMany([key('a')]);
      assert.deepEqual(await keysOf(storage.list(key('a'))), [key('a/b'), key('aa')]);
    },
  },
  (
    [
      ['one string', 'abc'],
      ['null', null],
      ['a number', 3],
      ['a plain object', { length: 0 }],
    ] as const
  ).map(([what, keys]) => ({
    name: `deleteMany refuses ${what} in place of keys`,
    run: async (context) => {
      const call = context.storage.deleteMany(keys as unknown as Iterable<string>);
      await context.rejects(call, 'INVALID_ARGUMENT', { operation: 'deleteMany' });
    },
  })),
);

export const deletePrefix = promise(
  'deletePrefix removes what begins with the prefix and nothing else',
  {
    name: 'deletePrefix of users/1/ leaves users/10',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['users/1/a', 'users/1/b/c', 'users/10/a', 'users/1', 'users/2'].map(key));
      const report = await storage.deletePrefix(key('users/1/'));
      assert.deepEqual([...report.deleted].sort(), [key('users/1/a'), key('users/1/b/c')]);
      assert.deepEqual(report.failed, []);
      assert.deepEqual(await keysOf(storage.list(prefix)), ['users/1', 'users/10/a', 'users/2'].map(key));
    },
  },
  {
    name: 'deletePrefix takes a prefix that ends inside a name',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['photo-1', 'photo-2', 'phone', 'x/photo-3'].map(key));
      await storage.deletePrefix(key('photo'));
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('phone'), key('x/photo-3')]);
    },
  },
  {
    name: 'deletePrefix of a key removes the object and what begins with its name',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['a', 'a/b', 'ab', 'b'].map(key));
      const report = await storage.deletePrefix(key('a'));
      assert.equal(report.deleted.length, 3);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('b')]);
    },
  },
  {
    name: 'deletePrefix that nothing begins with deletes nothing',
    run: async ({ storage, key }) => {
      assert.deepEqual(await storage.deletePrefix(key('missing/')), { deleted: [], failed: [] });
    },
  },
  ['%', '_', '*', '?', '[ab]'].map((wildcard) => ({
    name: `deletePrefix gives ${wildcard} no meaning`,
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['ax', 'bx', `${wildcard}x`].map(key));
      await storage.deletePrefix(key(wildcard));
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('ax'), key('bx')]);
    },
  })),
  {
    name: 'deletePrefix of more keys than one request of any backend takes removes them all',
    patience: 2,
    run: async ({ storage, key, prefix, limits }) => {
      const count = Math.min(1001, Math.max(...limits.deleteCounts));
      await putMany(
        storage,
        Array.from({ length: count }, (_, number) => key(`a/${number}`)),
      );
      const report = await storage.deletePrefix(key('a/'));
      assert.deepEqual([report.deleted.length, report.failed], [count, []]);
      assert.deepEqual(await collect(storage.list(prefix)), []);
    },
  },
  {
    name: 'deletePrefix of the empty prefix is refused unless all is said',
    fresh: true,
    run: async (context) => {
      const { storage } = context;
      await storage.put('a', 'a');
      for (const options of [undefined, {}, { all: false }]) {
        await context.rejects(storage.deletePrefix('', options), 'INVALID_ARGUMENT', { operation: 'deletePrefix' });
      }
      await expectContent(storage, 'a', 'a');
    },
  },
  {
    name: 'deletePrefix of the empty prefix with all removes every object',
    fresh: true,
    run: async ({ storage }) => {
      await putMany(storage, ['a', 'a/b', '.env', 'z']);
      const report = await storage.deletePrefix('', { all: true });
      assert.deepEqual([...report.deleted].sort(), ['.env', 'a', 'a/b', 'z']);
      assert.deepEqual(await collect(storage.list()), []);
    },
  },
);
