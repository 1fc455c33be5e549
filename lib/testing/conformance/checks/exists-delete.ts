import assert from 'node:assert/strict';
import { promise, type CheckContext } from '../check.js';
import { collect, expectContent, expectMissing, expectUnchanged, keysOf } from '../expect-stored.js';

export const exists = promise(
  'exists is true for an object and false only when there is none',
  {
    name: 'exists is true for an object, also an empty one',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      await storage.put(key('empty'), '');
      assert.equal(await storage.exists(key('a')), true);
      assert.equal(await storage.exists(key('empty')), true);
    },
  },
  {
    name: 'exists is false for a key that was never put',
    run: async ({ storage, key }) => {
      assert.equal(await storage.exists(key('missing')), false);
      assert.equal(await storage.exists(key('missing/deep/below')), false);
    },
  },
  {
    name: 'exists is false for a folder, with and without a slash',
    run: async ({ storage, key }) => {
      await storage.put(key('folder/a'), 'a');
      assert.equal(await storage.exists(key('folder')), false);
      assert.equal(await storage.exists(key('folder/')), false);
      assert.equal(await storage.exists(key('fold')), false);
    },
  },
  {
    name: 'exists is false for a key below an object',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      assert.equal(await storage.exists(key('a/b')), false);
    },
  },
  {
    name: 'exists is false after delete, and true after the next put',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      await storage.delete(key('a'));
      assert.equal(await storage.exists(key('a')), false);
      await storage.put(key('a'), 'a');
      assert.equal(await storage.exists(key('a')), true);
    },
  },
  {
    name: 'exists throws where it cannot tell, rather than say no',
    run: async (context) => {
      const { storage, key } = context;
      await context.rejects(storage.exists(key('a\0')), 'INVALID_KEY', { operation: 'exists' });
      await context.rejects(storage.exists(key('a'), { signal: AbortSignal.abort() }), 'ABORTED', {
        operation: 'exists',
      });
    },
  },
);

export const deletes = promise(
  'delete removes exactly one object',
  {
    name: 'delete removes an object from get, info, exists and list',
    run: async ({ storage, key, prefix }) => {
      await storage.put(key('folder/a'), 'a');
      await storage.delete(key('folder/a'));
      await expectMissing(storage, key('folder/a'));
      assert.deepEqual(await collect(storage.list(prefix)), []);
      assert.deepEqual(await collect(storage.listEntries(prefix)), []);
    },
  },
  {
    name: 'delete leaves every object of a similar name',
    run: async ({ storage, key, prefix }) => {
      const names = ['A', 'a ', 'a.', 'a/b', 'aa', 'b', 'a%', 'a_', 'a*'];
      for (const name of ['a', ...names]) await storage.put(key(name), name);
      await storage.delete(key('a'));
      assert.deepEqual((await keysOf(storage.list(prefix))).sort(), names.map(key).sort());
      for (const name of names) await expectContent(storage, key(name), name);
    },
  },
  {
    name: 'delete of the last object of a folder leaves its other folders',
    run: async ({ storage, key }) => {
      await storage.put(key('a/b/c'), 'c');
      await storage.put(key('a/d/e'), 'e');
      await storage.delete(key('a/b/c'));
      await expectContent(storage, key('a/d/e'), 'e');
    },
  },
  {
    name: 'an object that is put again after delete has nothing of the old one',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'old', {
        metadata: { old: '1' },
        cacheControl: 'no-store',
        contentType: 'text/x-old',
      });
      await storage.delete(key('a'));
      const file = await storage.put(key('a'), 'new');
      assert.deepEqual(
        [file.metadata, file.cacheControl, file.contentType],
        [{}, undefined, 'application/octet-stream'],
      );
      await expectUnchanged(storage, file, 'new');
    },
  },
  {
    name: 'deletes that race for one object end with it gone, and at least one of them has deleted it',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => storage.delete(key('a'))));
      for (const result of results) {
        if (result.status === 'rejected') context.expectError(result.reason, 'FILE_NOT_FOUND', { operation: 'delete' });
      }
      assert.ok(
        results.some((result) => result.status === 'fulfilled'),
        'nobody has deleted it',
      );
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'puts into a folder while its last object is deleted are not lost',
    run: async ({ storage, key }) => {
      for (let round = 0; round < 20; round++) {
        await storage.put(key('folder/old'), 'old');
        await Promise.all([storage.delete(key('folder/old')), storage.put(key(`folder/new`), `${round}`)]);
        await expectContent(storage, key('folder/new'), `${round}`);
        await storage.delete(key('folder/new'));
      }
    },
  },
);

export const deletesMissing = promise(
  'delete of a missing key is a FileNotFoundError unless forced',
  {
    name: 'delete of a missing key rejects and names the key',
    run: async (context) => {
      await context.rejects(context.storage.delete(context.key('missing')), 'FILE_NOT_FOUND', {
        operation: 'delete',
        key: context.key('missing'),
      });
    },
  },
  {
    name: 'delete a second time rejects',
    run: async (context) => {
      await context.storage.put(context.key('a'), 'a');
      await context.storage.delete(context.key('a'));
      await context.rejects(context.storage.delete(context.key('a')), 'FILE_NOT_FOUND', { operation: 'delete' });
    },
  },
  {
    name: 'delete of a folder rejects, forced or not, and removes nothing in it',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('folder/a'), 'a');
      await context.rejects(storage.delete(key('folder')), 'FILE_NOT_FOUND', { key: key('folder') });
      await storage.delete(key('folder'), { force: true });
      await expectContent(storage, key('folder/a'), 'a');
    },
  },
  {
    name: 'delete of a key below an object rejects, and leaves the object',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      await context.rejects(storage.delete(key('a/b')), 'FILE_NOT_FOUND', { key: key('a/b') });
      await storage.delete(key('a/b'), { force: true });
      await expectContent(storage, key('a'), 'a');
    },
  },
  {
    name: 'a forced delete of a missing key is no error',
    run: async ({ storage, key }) => {
      await storage.delete(key('missing'), { force: true });
      await storage.delete(key('missing/deep'), { force: true });
    },
  },
  {
    name: 'a forced delete of an object removes it',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      await storage.delete(key('a'), { force: true });
      await expectMissing(storage, key('a'));
    },
  },
);

export const deletesConditionally = promise(
  'delete with a condition removes only the version that was meant',
  {
    name: 'ifMatch removes the version it names',
    needs: 'compareAndSwap',
    run: async ({ storage, key }) => {
      const { etag } = await storage.put(key('a'), 'a');
      await storage.delete(key('a'), { ifMatch: etag });
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'ifMatch refuses another version, and leaves it, forced or not',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      const { etag } = await storage.put(key('a'), 'old');
      const file = await storage.put(key('a'), 'new');
      for (const force of [false, true]) {
        const call = storage.delete(key('a'), { ifMatch: etag, force });
        await context.rejects(call, 'PRECONDITION_FAILED', { operation: 'delete', key: key('a') });
      }
      await expectUnchanged(storage, file, 'new');
    },
  },
  {
    name: 'ifMatch on a missing key is about a missing key, and no error where it is forced',
    needs: 'compareAndSwap',
    run: async (context) => {
      const { storage, key } = context;
      await context.rejects(storage.delete(key('missing'), { ifMatch: 'version' }), 'FILE_NOT_FOUND');
      await storage.delete(key('missing'), { ifMatch: 'version', force: true });
    },
  },
  {
    name: 'a delete of one version against a put of the next never removes the next',
    needs: 'compareAndSwap',
    run: async (context: CheckContext) => {
      const { storage, key } = context;
      for (let round = 0; round < 20; round++) {
        const { etag } = await storage.put(key('a'), 'old');
        const [put, removal] = await Promise.allSettled([
          storage.put(key('a'), 'new'),
          storage.delete(key('a'), { ifMatch: etag }),
        ]);
        assert.equal(put.status, 'fulfilled');
        await expectUnchanged(storage, put.value, 'new');
        if (removal.status === 'rejected') context.expectError(removal.reason, 'PRECONDITION_FAILED');
      }
    },
  },
);
