import assert from 'node:assert/strict';
import { promise, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectUnchanged } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { failingStream, generate, streamInChunks, streamOf } from '../sources/streams.js';

const ATTRIBUTES = { contentType: 'text/x-staged', metadata: { Owner: 'Ada' }, cacheControl: 'no-store' } as const;

export const stageShows = promise(
  'stage shows nothing until commit, which shows all',
  {
    name: 'what is staged is neither there nor listed',
    run: async ({ storage, key, prefix }) => {
      const staged = await storage.stage(key('folder/a'), streamInChunks(bytesOf(100_000), 9999));
      await expectMissing(storage, key('folder/a'));
      assert.deepEqual(await collect(storage.list(prefix)), []);
      assert.deepEqual(await collect(storage.listEntries(prefix)), []);
      await staged.abort();
    },
  },
  {
    name: 'the old object stays whole while another is staged',
    run: async ({ storage, key }) => {
      const old = await storage.put(key('a'), 'old', { metadata: { version: 'old' } });
      const staged = await storage.stage(key('a'), 'new', ATTRIBUTES);
      await expectUnchanged(storage, old, 'old');
      await staged.commit();
      await expectContent(storage, key('a'), 'new');
    },
  },
  {
    name: 'commit shows bytes and attributes, and returns what info then returns',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(300_000);
      const staged = await storage.stage(key('a'), streamInChunks(bytes, 9999), ATTRIBUTES);
      const file = await staged.commit();
      assert.deepEqual(file.metadata, { owner: 'Ada' });
      assert.equal(file.contentType, ATTRIBUTES.contentType);
      assert.equal(file.cacheControl, ATTRIBUTES.cacheControl);
      await expectUnchanged(storage, file, bytes);
    },
  },
  {
    name: 'a staged file says its canonical key, size and attributes',
    run: async ({ storage, key }) => {
      const staged = await storage.stage(`/${key('x//y.png')}`, generate(bytesOf(12_345)), { metadata: { A: '1' } });
      const { contentType, metadata, size } = staged;
      assert.deepEqual(
        { key: staged.key, size, contentType, metadata },
        { key: key('x/y.png'), size: 12_345, contentType: 'image/png', metadata: { a: '1' } },
      );
      await staged.abort();
    },
  },
  {
    name: 'a staged object of no bytes can be committed',
    run: async ({ storage, key }) => {
      const staged = await storage.stage(key('a'), generate());
      assert.equal(staged.size, 0);
      await expectUnchanged(storage, await staged.commit(), '');
    },
  },
  {
    name: 'many files are staged at once and committed in any order',
    run: async ({ storage, key, prefix }) => {
      const numbers = Array.from({ length: 20 }, (_, number) => number);
      const staged = await Promise.all(numbers.map((n) => storage.stage(key(`${n}`), streamOf(`body ${n}`))));
      assert.deepEqual(await collect(storage.list(prefix)), []);
      for (const file of staged.reverse()) await file.commit();
      for (const n of numbers) await expectContent(storage, key(`${n}`), `body ${n}`);
    },
  },
  {
    name: 'of two files staged for one key the last commit stays',
    run: async ({ storage, key }) => {
      const first = await storage.stage(key('a'), 'first');
      const second = await storage.stage(key('a'), 'second');
      await second.commit();
      await expectContent(storage, key('a'), 'second');
      await first.commit();
      await expectContent(storage, key('a'), 'first');
    },
  },
  {
    name: 'a staged file can be committed after the old object is gone',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'old');
      const staged = await storage.stage(key('a'), 'new');
      await storage.delete(key('a'));
      await expectUnchanged(storage, await staged.commit(), 'new');
    },
  },
  {
    name: 'the caller may change the buffer once it is staged',
    run: async ({ storage, key }) => {
      const bytes = bytesOf(1000);
      const original = Buffer.from(bytes);
      const staged = await storage.stage(key('a'), bytes);
      bytes.fill(0);
      await staged.commit();
      await expectContent(storage, key('a'), original);
    },
  },
  {
    name: 'a staged file can be committed once only',
    run: async (context) => {
      const { storage, key } = context;
      const staged = await storage.stage(key('a'), 'a');
      const file = await staged.commit();
      await context.rejects(staged.commit(), 'INVALID_ARGUMENT', { operation: 'commit', key: key('a') });
      await expectUnchanged(storage, file, 'a');
    },
  },
);

export const stageAborted = promise(
  'stage that is aborted leaves no trace and harms nothing',
  ...[false, true].map((replaces) => ({
    name: replaces ? 'an aborted file leaves the old object as it was' : 'an aborted file leaves nothing',
    run: async (context: CheckContext) => {
      const { storage, prefix } = context;
      const key = context.key('folder/a');
      const old = replaces ? await storage.put(key, 'old', { metadata: { version: 'old' } }) : undefined;
      const staged = await storage.stage(key, streamInChunks(bytesOf(200_000), 9999), ATTRIBUTES);
      await staged.abort();
      if (old === undefined) await expectMissing(storage, key);
      else await expectUnchanged(storage, old, 'old');
      assert.equal((await collect(storage.listEntries(prefix))).length, replaces ? 1 : 0);
      await context.expectNoLeftovers();
    },
  })),
  {
    name: 'abort may be called twice',
    run: async (context) => {
      const staged = await context.storage.stage(context.key('a'), 'a');
      await Promise.all([staged.abort(), staged.abort()]);
      await staged.abort();
      await expectMissing(context.storage, context.key('a'));
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'abort after commit does nothing',
    run: async ({ storage, key }) => {
      const staged = await storage.stage(key('a'), 'a');
      const file = await staged.commit();
      await staged.abort();
      await expectUnchanged(storage, file, 'a');
    },
  },
  {
    name: 'commit after abort is refused, and stores nothing',
    run: async (context) => {
      const { storage, key } = context;
      const staged = await storage.stage(key('a'), 'a');
      await staged.abort();
      await context.rejects(staged.commit(), 'INVALID_ARGUMENT', { operation: 'commit', key: key('a') });
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'leaving a block with `await using` aborts what was not committed',
    run: async (context) => {
      const { storage, key } = context;
      const staged = await storage.stage(key('a'), 'a');
      await staged[Symbol.asyncDispose]();
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'stage whose source fails leaves nothing',
    run: async (context) => {
      const { storage, key } = context;
      const failure = new Error('the source broke');
      const call = storage.stage(key('a'), failingStream([bytesOf(150_000)], failure));
      const error = await context.rejects(call, 'SOURCE_FAILED', { operation: 'stage', key: key('a') });
      assert.equal(error.cause, failure);
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
    },
  },
);

export const stageConditions = promise(
  'stage decides its conditions at the commit',
  {
    name: 'a create that was overtaken after staging is refused at the commit, and leaves no trace',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key } = context;
      const staged = await storage.stage(key('a'), 'staged', { ifNoneMatch: '*' });
      const faster = await storage.put(key('a'), 'faster');
      await context.rejects(staged.commit(), 'FILE_EXISTS', { operation: 'commit', key: key('a') });
      await expectUnchanged(storage, faster, 'faster');
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'a create is committed where the object was deleted after staging',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key } = context;
      const first = await storage.stage(key('a'), 'first', { ifNoneMatch: '*' });
      await storage.put(key('a'), 'meanwhile');
      await storage.delete(key('a'));
      await expectUnchanged(storage, await first.commit(), 'first');
    },
  },
  {
    name: 'many staged creates have one winner when they are committed at once',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key } = context;
      const staged = await Promise.all(
        Array.from({ length: 10 }, (_, number) =>
          storage.stage(key('a'), streamOf(`racer ${number}`), { ifNoneMatch: '*' }),
        ),
      );
      const results = await Promise.allSettled(staged.map((file) => file.commit()));
      const winners = results.flatMap((result, number) => (result.status === 'fulfilled' ? [number] : []));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_EXISTS', { operation: 'commit' });
      }
      assert.equal(winners.length, 1, `${winners.length} creates were told that they had won`);
      await expectContent(storage, key('a'), `racer ${winners[0] ?? ''}`);
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'a replacement whose version changed after staging is refused at the commit',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'old');
      const staged = await storage.stage(key('a'), 'staged', { ifMatch: etag });
      const faster = await storage.put(key('a'), 'faster');
      await context.rejects(staged.commit(), 'PRECONDITION_FAILED', { operation: 'commit', key: key('a') });
      await expectUnchanged(storage, faster, 'faster');
      await context.expectNoLeftovers();
    },
  },
  {
    name: 'a replacement of the version that was meant is committed',
    needs: 'compareAndSwap',
    run: async ({ storage, key }) => {
      const { etag } = await storage.put(key('a'), 'old');
      const staged = await storage.stage(key('a'), streamOf('staged'), { ifMatch: etag });
      await expectUnchanged(storage, await staged.commit(), 'staged');
    },
  },
);
