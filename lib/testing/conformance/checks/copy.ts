import assert from 'node:assert/strict';
import { promise, type CheckContext } from '../check.js';
import { expectContent, expectMissing, expectUnchanged, keysOf } from '../expect-stored.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { LOOK_ALIKE } from './odd-keys.js';
import { ATTRIBUTES, forBoth, type Transfer } from './transfer.js';

/** Copies or moves, and asserts that bytes and attributes have come along. */
async function expectTransfer(context: CheckContext, method: Transfer, from: string, to: string): Promise<void> {
  const { storage } = context;
  const bytes = bytesOf(100_000, 3);
  const source = await storage.put(from, bytes, ATTRIBUTES);
  const file = await storage[method](from, to);
  assert.equal(file.key, to);
  assert.equal(file.size, bytes.length);
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = file;
  assert.deepEqual({ contentType, metadata, cacheControl, contentDisposition, contentEncoding }, ATTRIBUTES);
  await expectUnchanged(storage, file, bytes);
  if (method === 'copy') await expectUnchanged(storage, source, bytes);
  else await expectMissing(storage, from);
  await context.expectNoLeftovers();
}

export const copies = promise(
  'copy takes bytes and attributes along and leaves an independent object',
  forBoth(
    (method) => `${method} takes bytes and every attribute along, and returns what info then returns`,
    (context, method) => expectTransfer(context, method, context.key('a.html'), context.key('b')),
  ),
  forBoth(
    (method) => `${method} goes into a new depth`,
    (context, method) => expectTransfer(context, method, context.key('a'), context.key('x/y/z/a')),
  ),
  forBoth(
    (method) => `${method} goes below the object itself`,
    (context, method) => expectTransfer(context, method, context.key('a'), context.key('a/b')),
  ),
  forBoth(
    (method) => `${method} goes from below an object onto the name of its folder`,
    (context, method) => expectTransfer(context, method, context.key('a/b'), context.key('a')),
  ),
  forBoth(
    (method) => `${method} takes keys in whatever form`,
    async (context, method) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      const file = await storage[method](`/${key('x/../a')}`, key('y//./b'));
      assert.equal(file.key, key('y/b'));
      await expectContent(storage, key('y/b'), 'a');
    },
  ),
  forBoth(
    (method) => `${method} replaces an object wholly, bytes and attributes`,
    async ({ storage, key, prefix }, method) => {
      await storage.put(key('a'), 'source', { metadata: { from: 'source' } });
      await storage.put(key('b'), bytesOf(100_000), { ...ATTRIBUTES, metadata: { from: 'destination', more: '1' } });
      const file = await storage[method](key('a'), key('b'));
      assert.deepEqual(
        [file.metadata, file.cacheControl, file.contentEncoding],
        [{ from: 'source' }, undefined, undefined],
      );
      await expectUnchanged(storage, file, 'source');
      assert.deepEqual(await keysOf(storage.list(prefix)), method === 'copy' ? [key('a'), key('b')] : [key('b')]);
    },
  ),
  forBoth(
    (method) => `${method} of an object of no bytes`,
    async ({ storage, key }, method) => {
      await storage.put(key('a'), '', { metadata: { a: '1' } });
      const file = await storage[method](key('a'), key('b'));
      assert.deepEqual(file.metadata, { a: '1' });
      await expectUnchanged(storage, file, '');
    },
  ),
  forBoth(
    (method) => `${method} of a large object keeps every byte`,
    async ({ storage, key, limits }, method) => {
      const bytes = bytesOf(limits.largeObject, 4);
      await storage.put(key('a'), bytes);
      const file = await storage[method](key('a'), key('b'));
      assert.equal(file.size, bytes.length);
      assert.equal(sha256(await storage.getBytes(key('b'))), sha256(bytes));
      await storage.deleteMany([key('a'), key('b')]);
    },
  ),
  forBoth(
    (method) => `${method} takes the content type along, whatever the extension of the destination says`,
    async ({ storage, key }, method) => {
      await storage.put(key('a.png'), 'a');
      assert.equal((await storage[method](key('a.png'), key('b.txt'))).contentType, 'image/png');
    },
  ),
  {
    name: 'copy and source are independent: changing or deleting one leaves the other',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'one', { metadata: { a: '1' } });
      const copy = await storage.copy(key('a'), key('b'));
      await storage.put(key('a'), 'two', { metadata: { a: '2' } });
      await expectUnchanged(storage, copy, 'one');
      await storage.delete(key('a'));
      await expectUnchanged(storage, copy, 'one');
      await storage.put(key('c'), 'three');
      await storage.copy(key('c'), key('d'));
      await storage.delete(key('d'));
      await expectContent(storage, key('c'), 'three');
    },
  },
  {
    name: 'copy and move tell keys apart that look alike',
    run: async ({ storage, key }) => {
      for (const [index, [one, other]] of LOOK_ALIKE.entries()) {
        const [from, to] = [key(`${index}/${one}`), key(`${index}/${other}`)];
        await storage.put(from, one, { metadata: { a: '1' } });
        await storage.copy(from, to);
        await expectContent(storage, from, one);
        await expectContent(storage, to, one);
        await storage.move(from, to);
        await expectMissing(storage, from);
        await expectContent(storage, to, one);
      }
    },
  },
  {
    name: '20 copies of one object at once are all whole',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(50_000);
      await storage.put(key('a'), bytes, { metadata: { a: '1' } });
      const numbers = Array.from({ length: 20 }, (_, number) => number);
      const copied = await Promise.all(numbers.map((number) => storage.copy(key('a'), key(`copies/${number}`))));
      for (const file of copied) await expectUnchanged(storage, file, bytes);
    },
  },
  {
    name: 'a copy of an object that is overwritten meanwhile is one whole version',
    run: async ({ storage, key }) => {
      const versions = [bytesOf(80_000, 0), bytesOf(120_000, 1)] as const;
      await storage.put(key('a'), versions[0], { metadata: { n: '0' } });
      for (let round = 1; round <= 10; round++) {
        const [copy] = await Promise.all([
          storage.copy(key('a'), key('b')),
          storage.put(key('a'), versions[round % 2] ?? '', { metadata: { n: `${round % 2}` } }),
        ]);
        await expectUnchanged(storage, copy, versions[Number(copy.metadata['n'])] ?? '');
      }
    },
  },
);
