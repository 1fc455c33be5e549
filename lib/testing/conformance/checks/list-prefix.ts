import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { collect, keysOf } from '../expect-stored.js';
import { putMany } from './put-many.js';

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
