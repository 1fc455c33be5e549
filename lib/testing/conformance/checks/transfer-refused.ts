import assert from 'node:assert/strict';
import { promise, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectSameFile, expectUnchanged, keysOf } from '../expect-stored.js';
import { bytesOf, sha256 } from '../sources/bytes.js';
import { ATTRIBUTES, forBoth, type Transfer } from './transfer.js';

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
      expectSameFile(storage, await storage[method](key('a'), key('a')), file);
      await expectUnchanged(storage, file, 'kept');
    },
  ),
  forBoth(
    (method) => `${method} onto another form of the same key keeps the object`,
    async ({ storage, key }, method) => {
      const file = await storage.put(key('a'), 'kept', ATTRIBUTES);
      expectSameFile(storage, await storage[method](key('a'), `/${key('x/../a')}`), file);
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
