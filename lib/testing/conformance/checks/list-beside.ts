import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { byBytes, collect, expectContent, keysOf } from '../expect-stored.js';
import { countSteps } from '../measure/async-steps.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { putMany } from './put-many.js';

export const listGrows = promise(
  'list does not grow with the number of keys, and ends when it is left',
  {
    name: 'the first of many keys costs a small part of the steps of all, and all come once and in order',
    patience: 3,
    fresh: true,
    run: async ({ storage, limits }) => {
      const keys = Array.from({ length: limits.manyKeys }, (_, n) => `${n % 50}/${String(n).padStart(6, '0')}`);
      await putMany(storage, keys);
      const all = await countSteps(() => keysOf(storage.list()));
      assert.deepEqual(all.result, byBytes(keys));
      const first = await countSteps(async () => {
        for await (const file of storage.list()) return file.key;
        return undefined;
      });
      assert.equal(first.result, all.result[0]);
      assert.ok(
        first.steps * 10 < all.steps,
        `the first key took ${first.steps} asynchronous steps, all ${limits.manyKeys} took ${all.steps}`,
      );
    },
  },
  {
    name: 'leaving a listing by break, 20 times, leaves no file open',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['a/1', 'a/2', 'b/1', 'b/2', 'c'].map(key));
      await collect(storage.list(prefix));
      const before = openFiles();
      for (let round = 0; round < 20; round++) {
        for await (const file of storage.list(prefix)) {
          assert.equal(file.key, key('a/1'));
          break;
        }
      }
      assert.deepEqual(newlyOpen(before), [], 'files are still open');
    },
  },
  {
    name: 'a listing that was left says that it is done',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['a', 'b', 'c'].map(key));
      const iterator = storage.list(prefix)[Symbol.asyncIterator]();
      await iterator.next();
      assert.equal((await iterator.return?.())?.done, true);
      assert.equal((await iterator.next()).done, true);
    },
  },
  {
    name: 'a listing asks nothing of the storage before its first step',
    run: async (context) => {
      // what is wrong with it is said at the first step too
      const listing = context.storage.list(context.prefix, { limit: -1 });
      const entries = context.storage.listEntries(context.prefix, { delimiter: '' });
      await context.rejects(collect(listing), 'INVALID_ARGUMENT', { operation: 'list' });
      await context.rejects(collect(entries), 'INVALID_ARGUMENT', { operation: 'listEntries' });
    },
  },
);

export const listBeside = promise(
  'list is safe beside writes and deletes',
  {
    name: 'objects that are there throughout appear exactly once while others come and go around the position',
    run: async ({ storage, key, prefix }) => {
      const stable = byBytes(Array.from({ length: 60 }, (_, number) => key(`stable/${number}`)));
      await putMany(storage, stable);
      await storage.put(key('a-first'), 'x');
      const seen: string[] = [];
      for await (const file of storage.list(prefix)) {
        seen.push(file.key);
        if (seen.length % 5 !== 0) continue;
        // before and after the position: new ones, and some that go again
        await storage.put(key(`b/${seen.length}`), 'before');
        await storage.put(key(`zz/${seen.length}`), 'after');
        await storage.delete(key(`zz/${seen.length - 5}`), { force: true });
        await storage.delete(key('a-first'), { force: true });
      }
      assert.deepEqual(
        seen.filter((listed) => listed.startsWith(key('stable/'))),
        stable,
      );
      assert.deepEqual(seen, byBytes([...new Set(seen)]), 'each once, and in order');
    },
  },
  {
    name: 'objects that are overwritten while they are listed appear exactly once',
    run: async ({ storage, key, prefix }) => {
      const keys = byBytes(Array.from({ length: 40 }, (_, number) => key(`${number}`)));
      await putMany(storage, keys);
      const seen: string[] = [];
      for await (const file of storage.list(prefix)) {
        seen.push(file.key);
        await storage.put(file.key, 'new', { metadata: { a: '1' } });
        await storage.put(keys.at(-1) ?? '', 'new');
      }
      assert.deepEqual(seen, keys);
    },
  },
  {
    name: 'deleting each object as it is listed deletes all',
    run: async ({ storage, key, prefix }) => {
      const keys = Array.from({ length: 120 }, (_, number) => key(`${number % 7}/${number}`));
      await putMany(storage, keys);
      let count = 0;
      for await (const file of storage.list(prefix)) {
        await storage.delete(file.key);
        count++;
      }
      assert.equal(count, keys.length);
      assert.deepEqual(await collect(storage.list(prefix)), []);
    },
  },
  {
    name: 'a listing goes on when everything ahead of it is deleted',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['a', 'b/1', 'b/2', 'c'].map(key));
      const seen: string[] = [];
      for await (const file of storage.list(prefix)) {
        seen.push(file.key);
        await storage.deleteMany(['b/1', 'b/2', 'c'].map(key));
      }
      assert.equal(seen[0], key('a'));
      assert.equal(new Set(seen).size, seen.length);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('a')]);
    },
  },
  {
    name: 'a listing beside puts of other folders yields what was there before',
    run: async ({ storage, key, prefix }) => {
      const stable = byBytes(Array.from({ length: 50 }, (_, number) => key(`stable/${number}`)));
      await putMany(storage, stable);
      const writes = putMany(
        storage,
        Array.from({ length: 100 }, (_, number) => key(`${number % 2 === 0 ? 'a' : 'z'}/${number}`)),
      );
      const listed = await keysOf(storage.list(prefix));
      await writes;
      assert.deepEqual(
        listed.filter((each) => each.startsWith(key('stable/'))),
        stable,
      );
      assert.deepEqual(listed, byBytes([...new Set(listed)]));
      await expectContent(storage, key('a/0'), 'x');
    },
  },
);
