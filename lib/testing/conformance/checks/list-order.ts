import assert from 'node:assert/strict';
import { promise, type CheckBody } from '../check.js';
import { byBytes, keysOf } from '../expect-stored.js';
import { putMany } from './put-many.js';

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
        assert.ok(seen.length <= keys.length, 'the pages do not end: a key comes again');
        startAfter = page.at(-1);
      }
      assert.deepEqual(seen, keys);
    },
  },
);
