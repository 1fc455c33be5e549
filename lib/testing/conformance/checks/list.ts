import assert from 'node:assert/strict';
import { promise, type CheckBody } from '../check.js';
import { collect, expectContent, keysOf } from '../expect-stored.js';
import { countSteps } from '../measure/async-steps.js';
import { newlyOpen, openFiles } from '../measure/open-files.js';
import { putMany } from './delete-many.js';

const byBytes = (keys: readonly string[]): string[] =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** Keys whose order by UTF-16 units, by letters or by folders is another than that by bytes. */
const ORDERED = [
  'A',
  'B',
  'a',
  'a-b',
  'a.b',
  'a/b',
  'a/b/c',
  'a0',
  'a b',
  'ab',
  'b',
  'Z',
  '_',
  '~',
  '10',
  '9',
  't-/x',
  't/x',
  't',
  '\u00e9',
  'e\u0301',
  '\uff5e',
  '\u{1f600}',
  '\ue000',
  '\u{10000}',
  '\ufb01',
  'z\uffee/a',
  'z\u{1f600}/a',
];

const WILDCARDS = ['%', '_', '*', '?', '[a]', '{a,b}', '.', '^', '$', '(', '+', '~', "'", '"', '%41'];

export const listPrefix = promise(
  'list takes a prefix as a plain string, in which no character has a meaning',
  {
    name: 'list of an empty storage is empty',
    fresh: true,
    run: async ({ storage }) => {
      assert.deepEqual(await collect(storage.list()), []);
      assert.deepEqual(await collect(storage.list('')), []);
      assert.deepEqual(await collect(storage.listEntries()), []);
    },
  },
  {
    name: 'list without a prefix yields every object',
    fresh: true,
    run: async ({ storage }) => {
      const keys = ['.env', 'A', 'a', 'a/b', 'z/y/x'];
      await putMany(storage, keys);
      assert.deepEqual(await keysOf(storage.list()), keys);
    },
  },
  {
    name: 'list of a prefix that nothing begins with is empty',
    run: async ({ storage, key }) => {
      await putMany(storage, ['a', 'b/c'].map(key));
      for (const name of ['x', 'a/', 'b/c/', 'b/d', 'missing/deep/']) {
        assert.deepEqual(await collect(storage.list(key(name))), [], name);
      }
    },
  },
  {
    name: 'list takes a prefix that ends inside a name',
    run: async ({ storage, key }) => {
      await putMany(storage, ['photo-1', 'photo-2', 'phone', 'photos/a', 'x/photo'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('photo'))), ['photo-1', 'photo-2', 'photos/a'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('photos/'))), [key('photos/a')]);
    },
  },
  {
    name: 'list takes a prefix that is itself a key',
    run: async ({ storage, key }) => {
      await putMany(storage, ['a', 'a/b', 'ab', 'b'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('a'))), ['a', 'a/b', 'ab'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('b'))), [key('b')]);
    },
  },
  {
    name: 'list does not fold the case of a prefix',
    run: async ({ storage, key }) => {
      await putMany(storage, ['Photo', 'photo', 'PHOTO'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('p'))), [key('photo')]);
      assert.deepEqual(await keysOf(storage.list(key('PH'))), [key('PHOTO')]);
    },
  },
  {
    name: 'list does not compose or decompose a prefix',
    run: async ({ storage, key }) => {
      await putMany(storage, ['\u00e9', 'e\u0301'].map(key));
      assert.deepEqual(await keysOf(storage.list(key('e'))), [key('e\u0301')]);
      assert.deepEqual(await keysOf(storage.list(key('\u00e9'))), [key('\u00e9')]);
    },
  },
  WILDCARDS.map((wildcard) => ({
    name: `list gives ${wildcard} no meaning in a prefix`,
    run: async ({ storage, key }) => {
      await putMany(storage, ['ax', 'bx', 'A', `${wildcard}x`].map(key));
      assert.deepEqual(await keysOf(storage.list(key(wildcard))), [key(`${wildcard}x`)]);
      assert.deepEqual(await keysOf(storage.list(key(`a${wildcard}`))), []);
    },
  })),
  {
    name: 'list takes a prefix as it is: neither backslash, dots nor slashes are made canonical',
    run: async ({ storage, key, prefix }) => {
      await putMany(storage, ['a/b', 'b'].map(key));
      for (const given of [`/${prefix}`, `${prefix}/`, key('a\\'), key('./'), key('a/../'), key('a//')]) {
        assert.deepEqual(await collect(storage.list(given)), [], given);
      }
    },
  },
  {
    name: 'list takes a prefix with control characters, which no key has',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      assert.deepEqual(await collect(storage.list(key('a\0'))), []);
      assert.deepEqual(await collect(storage.list(key('\n'))), []);
    },
  },
);

export const listOrder = promise(
  'list is in UTF-8 byte order, each object once',
  {
    name: 'list puts keys in the order of their UTF-8 bytes',
    run: async ({ storage, key, prefix }) => {
      const keys = ORDERED.map(key);
      await putMany(storage, [...keys].reverse());
      assert.deepEqual(await keysOf(storage.list(prefix)), byBytes(keys));
    },
  },
  {
    name: 'list puts U+FF5E before U+1F600, in names and in folders',
    run: async ({ storage, key, prefix }) => {
      const keys = ['\u{1f600}', '\uff5e', '\u{1f600}/a', '\uff5e/a', 'x\u{1f600}y', 'x\uff5ey'].map(key);
      await putMany(storage, keys);
      assert.deepEqual(await keysOf(storage.list(prefix)), byBytes(keys));
    },
  },
  {
    name: 'list puts a-b, a.b, a/b and a0 in this order, whatever is a folder',
    run: async ({ storage, key, prefix }) => {
      const names = ['a-b', 'a.b', 'a/b', 'a/b/c', 'a0'];
      await putMany(storage, [...names].reverse().map(key));
      assert.deepEqual(await keysOf(storage.list(prefix)), names.map(key));
    },
  },
  {
    name: 'list yields key, size, etag and date as info does',
    run: async ({ storage, key, prefix }) => {
      for (const name of ['a', 'b/c', 'b/d']) await storage.put(key(name), name, { metadata: { name } });
      for await (const { key: listed, size, etag, lastModified } of storage.list(prefix)) {
        const info = await storage.info(listed);
        assert.deepEqual([size, etag, lastModified], [info.size, info.etag, info.lastModified]);
      }
    },
  },
  {
    name: 'list yields an object once that was overwritten again and again',
    run: async ({ storage, key, prefix }) => {
      for (let round = 0; round < 5; round++) {
        for (const name of ['a', 'a/b', 'c']) await storage.put(key(name), `${round}`, { metadata: { r: `${round}` } });
      }
      assert.deepEqual(await keysOf(storage.list(prefix)), ['a', 'a/b', 'c'].map(key));
    },
  },
  {
    name: 'a listing can be iterated twice, and two at once do not disturb each other',
    run: async ({ storage, key, prefix }) => {
      const keys = byBytes(Array.from({ length: 30 }, (_, number) => key(`a/${number}`)));
      await putMany(storage, keys);
      const listing = storage.list(prefix);
      const [one, two] = [listing[Symbol.asyncIterator](), listing[Symbol.asyncIterator]()];
      const seen: string[][] = [[], []];
      for (;;) {
        const [first, second] = [await one.next(), await two.next()];
        assert.equal(first.done, second.done);
        if (first.done === true || second.done === true) break;
        seen[0]?.push(first.value.key);
        seen[1]?.push(second.value.key);
      }
      assert.deepEqual(seen, [keys, keys]);
    },
  },
  {
    name: 'steps of one listing that are asked for at once come in order',
    run: async ({ storage, key, prefix }) => {
      const keys = ['a', 'b', 'c'].map(key);
      await putMany(storage, keys);
      const iterator = storage.list(prefix)[Symbol.asyncIterator]();
      const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
      const seen: string[] = [];
      for (const result of results) if (result.done !== true) seen.push(result.value.key);
      assert.deepEqual(seen, keys);
      assert.equal((await iterator.next()).done, true);
    },
  },
);

const LIMITED = ['a', 'a/b', 'b', 'b-c', 'c/d/e', 'd'];

const limited: readonly CheckBody[] = [0, 1, 2, 5, 6, 7, 1000].map((limit) => ({
  name: `list with limit ${limit} yields at most so many`,
  run: async ({ storage, key, prefix }) => {
    await putMany(storage, LIMITED.map(key));
    const listed = await keysOf(storage.list(prefix, { limit }));
    assert.deepEqual(listed, byBytes(LIMITED.map(key)).slice(0, limit));
  },
}));

const started: readonly CheckBody[] = (
  [
    ['a key that exists', 'b'],
    ['a key that does not exist', 'aa'],
    ['a key that is a folder too', 'a'],
    ['a folder with its slash', 'c/'],
    ['a key below an object', 'a/b/c'],
    ['something before all', '\u0020'],
    ['something after all', 'zzz'],
    ['the last key', 'd'],
    ['nothing', ''],
  ] as const
).map(([what, after]) => ({
  name: `list with startAfter ${what} yields what comes after it in byte order`,
  run: async ({ storage, key, prefix }) => {
    const keys = byBytes(LIMITED.map(key));
    await putMany(storage, keys);
    const startAfter = key(after);
    const expected = keys.filter((each) => Buffer.compare(Buffer.from(each), Buffer.from(startAfter)) > 0);
    assert.deepEqual(await keysOf(storage.list(prefix, { startAfter })), expected);
  },
}));

export const listLimits = promise(
  'list honours limit and startAfter',
  limited,
  started,
  {
    name: 'list with startAfter outside the prefix yields all of it or nothing',
    run: async ({ storage, key }) => {
      await putMany(storage, ['a', 'm/1', 'm/2', 'z'].map(key));
      const listed = (startAfter: string): Promise<string[]> =>
        keysOf(storage.list(key('m/'), { startAfter: key(startAfter) }));
      assert.deepEqual(await listed('a'), ['m/1', 'm/2'].map(key));
      assert.deepEqual(await listed('m'), ['m/1', 'm/2'].map(key));
      assert.deepEqual(await listed('n'), []);
      assert.deepEqual(await keysOf(storage.list(key('m/'), { startAfter: '' })), ['m/1', 'm/2'].map(key));
    },
  },
  {
    name: 'list page by page, each page after the last key of the one before, yields every key once',
    run: async ({ storage, key, prefix }) => {
      const keys = byBytes([...ORDERED, ...Array.from({ length: 25 }, (_, number) => `p/${number}`)].map(key));
      await putMany(storage, keys);
      const seen: string[] = [];
      let startAfter: string | undefined;
      for (;;) {
        const page = await keysOf(storage.list(prefix, { limit: 4, startAfter }));
        if (page.length === 0) break;
        seen.push(...page);
        startAfter = page.at(-1);
      }
      assert.deepEqual(seen, keys);
    },
  },
);

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
