import assert from 'node:assert/strict';
import type { ListEntriesOptions, ListEntry } from '../../../contract/index.js';
import { promise, type CheckContext } from '../check.js';
import { collect } from '../expect-stored.js';
import { putMany } from './put-many.js';

const nameOf = (entry: ListEntry): string => (entry.kind === 'file' ? entry.file.key : entry.prefix);

/** What one level shows: keys, and prefixes with a `>` in front, without this check's own prefix. */
async function level(context: CheckContext, name: string, options?: ListEntriesOptions): Promise<string[]> {
  const entries = await collect(context.storage.listEntries(context.key(name), options));
  return entries.map((entry) => {
    const shown = nameOf(entry).slice(context.prefix.length);
    return entry.kind === 'file' ? shown : `>${shown}`;
  });
}

export const listEntries = promise(
  'listEntries shows one level, files and prefixes in one byte order',
  {
    name: 'one level shows its objects and each folder once',
    run: async (context) => {
      await putMany(context.storage, ['a', 'b/1', 'b/2', 'b/c/3', 'd/e/f', 'g'].map(context.key));
      assert.deepEqual(await level(context, ''), ['a', '>b/', '>d/', 'g']);
      assert.deepEqual(await level(context, 'b/'), ['b/1', 'b/2', '>b/c/']);
      assert.deepEqual(await level(context, 'd/'), ['>d/e/']);
    },
  },
  {
    name: 'files of a level are what info says',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'abc');
      const file = await context.storage.info(context.key('a'));
      const [entry] = await collect(context.storage.listEntries(context.prefix));
      assert.ok(entry?.kind === 'file');
      const { key, size, etag, lastModified } = entry.file;
      assert.deepEqual(
        { key, size, etag, lastModified },
        {
          key: file.key,
          size: file.size,
          etag: file.etag,
          lastModified: file.lastModified,
        },
      );
    },
  },
  {
    name: 'a level that nothing begins with is empty',
    run: async (context) => {
      await context.storage.put(context.key('a/b'), 'x');
      assert.deepEqual(await level(context, 'missing/'), []);
      assert.deepEqual(await level(context, 'a/b/'), []);
    },
  },
  {
    name: 'files and prefixes stand in one byte order, and t-/ comes before t/',
    run: async (context) => {
      await putMany(
        context.storage,
        ['t/1', 't-/1', 't-', 't', 't.txt', 't0', 't0/1', '\uff5e/1', '😀'].map(context.key),
      );
      assert.deepEqual(await level(context, ''), ['t', 't-', '>t-/', 't.txt', '>t/', 't0', '>t0/', '>\uff5e/', '😀']);
    },
  },
  {
    name: 'an object and the folder of its name are both shown',
    run: async (context) => {
      await putMany(context.storage, ['a', 'a/b'].map(context.key));
      assert.deepEqual(await level(context, ''), ['a', '>a/']);
      assert.deepEqual(await level(context, 'a'), ['a', '>a/']);
      assert.deepEqual(await level(context, 'a/'), ['a/b']);
    },
  },
  {
    name: 'a prefix may end inside a name',
    run: async (context) => {
      await putMany(context.storage, ['photo-1', 'photos/a', 'photos/b', 'phone'].map(context.key));
      assert.deepEqual(await level(context, 'photo'), ['photo-1', '>photos/']);
    },
  },
  {
    name: 'another delimiter, also a longer one, ends a folder',
    run: async (context) => {
      await putMany(context.storage, ['a-1', 'a-2', 'b/1', 'c::d::e', 'c::f'].map(context.key));
      assert.deepEqual(await level(context, '', { delimiter: '-' }), ['>a-', 'b/1', 'c::d::e', 'c::f']);
      assert.deepEqual(await level(context, '', { delimiter: '::' }), ['a-1', 'a-2', 'b/1', '>c::']);
      assert.deepEqual(await level(context, 'c::', { delimiter: '::' }), ['>c::d::', 'c::f']);
    },
  },
  ...[0, 1, 2, 3, 4, 10].map((limit) => ({
    name: `a limit of ${limit} counts entries, not keys`,
    run: async (context: CheckContext) => {
      await putMany(context.storage, ['a/1', 'a/2', 'a/3', 'b', 'c/1', 'c/2', 'd'].map(context.key));
      assert.deepEqual(await level(context, '', { limit }), ['>a/', 'b', '>c/', 'd'].slice(0, limit));
    },
  })),
  {
    name: 'startAfter a prefix leaves that folder out, whatever is in it',
    run: async (context) => {
      await putMany(context.storage, ['a/1', 'a/2', 'b', 'c/1', 'd'].map(context.key));
      const after = (name: string): Promise<string[]> => level(context, '', { startAfter: context.key(name) });
      assert.deepEqual(await after('a/'), ['b', '>c/', 'd']);
      assert.deepEqual(await after('b'), ['>c/', 'd']);
      assert.deepEqual(await after('c'), ['>c/', 'd']);
      assert.deepEqual(await after('d'), []);
    },
  },
  {
    name: 'page by page, each page after the last entry, every entry comes once',
    run: async (context) => {
      await putMany(
        context.storage,
        Array.from({ length: 60 }, (_, number) =>
          context.key(`${number % 9}${number % 2 === 0 ? '' : '/x'}/${number}`),
        ),
      );
      const all = (await collect(context.storage.listEntries(context.prefix))).map(nameOf);
      const seen: string[] = [];
      for (;;) {
        const page = await collect(
          context.storage.listEntries(context.prefix, { limit: 2, startAfter: seen.at(-1) ?? '' }),
        );
        if (page.length === 0) break;
        seen.push(...page.map(nameOf));
        assert.ok(seen.length <= all.length, 'the pages do not end: an entry comes again');
      }
      assert.deepEqual(seen, all);
      assert.equal(new Set(seen).size, 9);
    },
  },
  {
    name: 'a folder of more keys than one page of any backend has is shown once',
    patience: 2,
    run: async (context) => {
      const { limits } = context;
      const many = Math.min(1100, limits.manyKeys);
      await putMany(
        context.storage,
        Array.from({ length: many }, (_, number) => context.key(`many/${number}`)),
      );
      await putMany(context.storage, ['a', 'z'].map(context.key));
      assert.deepEqual(await level(context, ''), ['a', '>many/', 'z']);
    },
  },
);
