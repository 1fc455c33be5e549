import assert from 'node:assert/strict';
import { promise, type CheckBody, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectUnchanged, keysOf } from '../expect-stored.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { LOOK_ALIKE } from './odd-keys.js';

type Transfer = 'copy' | 'move';
const BOTH = ['copy', 'move'] as const;

const ATTRIBUTES = {
  contentType: 'text/html; charset=utf-8',
  metadata: { owner: 'Ada', note: 'äöü 😀' },
  cacheControl: 'max-age=60',
  contentDisposition: 'attachment; filename="a.html"',
  contentEncoding: 'gzip',
} as const;

const forBoth = (
  name: (method: Transfer) => string,
  run: (context: CheckContext, method: Transfer) => Promise<void>,
): readonly CheckBody[] => BOTH.map((method) => ({ name: name(method), run: (context) => run(context, method) }));

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

export const namesMissing = promise(
  'copy and move name a missing source and leave the destination untouched',
  forBoth(
    (method) => `${method} of a missing source names the source, and makes nothing`,
    async (context, method) => {
      const { storage, key, prefix } = context;
      const call = storage[method](key('missing'), key('folder/b'));
      await context.rejects(call, 'FILE_NOT_FOUND', { operation: method, key: key('missing') });
      assert.deepEqual(await collect(storage.list(prefix)), []);
      assert.deepEqual(await collect(storage.listEntries(prefix)), []);
      await context.expectNoLeftovers();
    },
  ),
  forBoth(
    (method) => `${method} of a missing source leaves the object at the destination`,
    async (context, method) => {
      const { storage, key } = context;
      const file = await storage.put(key('b'), 'kept', { metadata: { a: '1' } });
      await context.rejects(storage[method](key('missing'), key('b')), 'FILE_NOT_FOUND', { key: key('missing') });
      await expectUnchanged(storage, file, 'kept');
    },
  ),
  forBoth(
    (method) => `${method} of a folder is about a missing source`,
    async (context, method) => {
      const { storage, key } = context;
      await storage.put(key('folder/a'), 'a');
      await context.rejects(storage[method](key('folder'), key('b')), 'FILE_NOT_FOUND', { key: key('folder') });
      await expectContent(storage, key('folder/a'), 'a');
      await expectMissing(storage, key('b'));
    },
  ),
  forBoth(
    (method) => `${method} with a signal that has fired changes nothing`,
    async (context, method) => {
      const { storage, key } = context;
      const file = await storage.put(key('a'), 'a');
      const call = storage[method](key('a'), key('b'), { signal: AbortSignal.abort() });
      await context.rejects(call, 'ABORTED', { operation: method, key: key('a') });
      await expectUnchanged(storage, file, 'a');
      await expectMissing(storage, key('b'));
    },
  ),
  forBoth(
    (method) => `${method} whose signal fires in the middle has happened wholly or not at all`,
    async (context, method) => {
      const { storage, key, limits } = context;
      const bytes = bytesOf(limits.largeObject, 9);
      for (const turns of [0, 1, 3, 10]) {
        const source = await storage.put(key('a'), bytes, { metadata: { a: '1' } });
        const controller = new AbortController();
        const call = storage[method](key('a'), key('b'), { signal: controller.signal });
        void call.catch(() => undefined);
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        const result = await Promise.allSettled([call]);
        if (result[0].status === 'fulfilled') {
          assert.equal(sha256(await storage.getBytes(key('b'))), sha256(bytes));
          if (method === 'move') await expectMissing(storage, key('a'));
        } else {
          context.expectError(result[0].reason, 'ABORTED', { operation: method, key: key('a') });
          await expectMissing(storage, key('b'));
          await expectUnchanged(storage, source, bytes);
        }
        await context.expectNoLeftovers();
        await storage.deleteMany([key('a'), key('b')]);
      }
    },
  ),
);

export const ontoItself = promise(
  'copy and move onto itself keep the object',
  forBoth(
    (method) => `${method} onto itself returns the object as it is`,
    async ({ storage, key }, method) => {
      const file = await storage.put(key('a'), 'kept', ATTRIBUTES);
      assert.deepEqual(await storage[method](key('a'), key('a')), file);
      await expectUnchanged(storage, file, 'kept');
    },
  ),
  forBoth(
    (method) => `${method} onto another form of the same key keeps the object`,
    async ({ storage, key }, method) => {
      const file = await storage.put(key('a'), 'kept', ATTRIBUTES);
      assert.deepEqual(await storage[method](key('a'), `/${key('x/../a')}`), file);
      await expectUnchanged(storage, file, 'kept');
    },
  ),
  forBoth(
    (method) => `${method} of a missing key onto itself names it`,
    (context, method) =>
      context
        .rejects(context.storage[method](context.key('missing'), context.key('missing')), 'FILE_NOT_FOUND', {
          operation: method,
          key: context.key('missing'),
        })
        .then(() => undefined),
  ),
);

export const copyConditions = promise(
  'copy and move with a condition create only',
  forBoth(
    (method) => `${method} with ifNoneMatch goes where there is no object`,
    (context, method) => expectConditionalTransfer(context, method),
  ).map((body) => ({ ...body, needs: 'conditionalCopy' as const })),
  forBoth(
    (method) => `${method} with ifNoneMatch refuses an object that is there, and leaves both`,
    async (context, method) => {
      const { storage, key } = context;
      const source = await storage.put(key('a'), 'source', { metadata: { a: '1' } });
      const destination = await storage.put(key('b'), 'destination');
      await context.rejects(storage[method](key('a'), key('b'), { ifNoneMatch: '*' }), 'FILE_EXISTS', {
        operation: method,
      });
      await expectUnchanged(storage, source, 'source');
      await expectUnchanged(storage, destination, 'destination');
      await context.expectNoLeftovers();
    },
  ).map((body) => ({ ...body, needs: 'conditionalCopy' as const })),
  forBoth(
    (method) => `${method} with ifNoneMatch onto itself is refused, and keeps the object`,
    async (context, method) => {
      const { storage, key } = context;
      const file = await storage.put(key('a'), 'a');
      await context.rejects(storage[method](key('a'), key('a'), { ifNoneMatch: '*' }), 'FILE_EXISTS');
      await expectUnchanged(storage, file, 'a');
    },
  ).map((body) => ({ ...body, needs: 'conditionalCopy' as const })),
  forBoth(
    (method) => `many of ${method} with ifNoneMatch that race for one destination have one winner`,
    async (context, method) => {
      const { storage, key } = context;
      const numbers = Array.from({ length: 10 }, (_, number) => number);
      for (const number of numbers) await storage.put(key(`from/${number}`), `racer ${number}`);
      const results = await Promise.allSettled(
        numbers.map((number) => storage[method](key(`from/${number}`), key('to'), { ifNoneMatch: '*' })),
      );
      const winners = results.flatMap((result, number) => (result.status === 'fulfilled' ? [number] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_EXISTS', { operation: method });
      }
      assert.equal(winners.length, 1, `${winners.length} were told that they had won`);
      await expectContent(storage, key('to'), `racer ${winners[0] ?? ''}`);
      const left = await keysOf(storage.list(key('from/')));
      assert.equal(left.length, method === 'copy' ? 10 : 9, 'the losers keep their sources');
    },
  ).map((body) => ({ ...body, needs: 'conditionalCopy' as const })),
);

async function expectConditionalTransfer({ storage, key }: CheckContext, method: Transfer): Promise<void> {
  await storage.put(key('a'), 'source', ATTRIBUTES);
  const file = await storage[method](key('a'), key('b'), { ifNoneMatch: '*' });
  assert.deepEqual(file.metadata, ATTRIBUTES.metadata);
  await expectUnchanged(storage, file, 'source');
  assert.equal(await storage.exists(key('a')), method === 'copy');
}

export const moves = promise(
  'move removes the source only after the destination is committed',
  {
    name: 'at every moment of a move the object can be read under one of its two keys',
    run: async ({ storage, key, limits }) => {
      const bytes = bytesOf(Math.min(limits.largeObject, 2_000_000), 6);
      await storage.put(key('a'), bytes);
      let moving = true;
      const move = storage.move(key('a'), key('b')).finally(() => {
        moving = false;
      });
      const settled = move.then(
        () => undefined,
        () => undefined,
      );
      let looks = 0;
      while (moving || looks < 2) {
        // the source first: an object that goes from there to the destination between the two questions is seen at the second
        const there = (await storage.exists(key('a'))) || (await storage.exists(key('b')));
        assert.ok(there, 'the object is under neither key');
        looks++;
      }
      await settled;
      await move;
      await expectMissing(storage, key('a'));
      assert.equal(sha256(await storage.getBytes(key('b'))), sha256(bytes));
    },
  },
  {
    name: 'a move that is refused keeps the source',
    run: async (context) => {
      const { storage, key } = context;
      const file = await storage.put(key('a'), 'a');
      await context.rejects(storage.move(key('a'), `${key('b')}\0`), 'INVALID_KEY', { operation: 'move' });
      await expectUnchanged(storage, file, 'a');
    },
  },
  {
    name: 'a chain of moves keeps bytes and attributes',
    run: async ({ storage, key, prefix }) => {
      await storage.put(key('0'), 'traveller', ATTRIBUTES);
      for (let step = 0; step < 10; step++) await storage.move(key(`${step}`), key(`${step + 1}`));
      await expectContent(storage, key('10'), 'traveller');
      assert.deepEqual((await storage.info(key('10'))).metadata, ATTRIBUTES.metadata);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key('10')]);
    },
  },
  {
    name: 'two objects change places by three moves',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a', { metadata: { n: 'a' } });
      await storage.put(key('b'), 'b', { metadata: { n: 'b' } });
      await storage.move(key('a'), key('c'));
      await storage.move(key('b'), key('a'));
      await storage.move(key('c'), key('b'));
      await expectContent(storage, key('a'), 'b');
      await expectContent(storage, key('b'), 'a');
      assert.deepEqual((await storage.info(key('a'))).metadata, { n: 'b' });
    },
  },
);

export const movesRace = promise('move has one winner when several race for one source', {
  name: 'of ten moves of one source to ten places one succeeds, and nothing is doubled or lost',
  run: async (context) => {
    const { storage, key, prefix } = context;
    for (let round = 0; round < 5; round++) {
      await storage.put(key('a'), `round ${round}`, { metadata: { r: `${round}` } });
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, number) => storage.move(key('a'), key(`to/${number}`))),
      );
      const winners = results.flatMap((result, number) => (result.status === 'fulfilled' ? [number] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_NOT_FOUND', { operation: 'move' });
      }
      assert.equal(winners.length, 1, `${winners.length} moves were told that they had won`);
      assert.deepEqual(await keysOf(storage.list(prefix)), [key(`to/${winners[0] ?? ''}`)]);
      await expectContent(storage, key(`to/${winners[0] ?? ''}`), `round ${round}`);
      await storage.delete(key(`to/${winners[0] ?? ''}`));
    }
  },
});
