import assert from 'node:assert/strict';
import { isStorage } from '../../../contract/index.js';
import { promise } from '../check.js';
import { expectMissing, expectUnchanged } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { PushedSource } from '../sources/pushed-source.js';
import { streamInChunks } from '../sources/streams.js';

export const capabilities = promise(
  'What the capabilities do not declare is refused with an UnsupportedOperationError before any I/O',
  {
    name: 'the storage declares what its harness expects',
    run: ({ storage, capabilities }) => {
      assert.deepEqual({ ...storage.capabilities }, { ...capabilities });
      return Promise.resolve();
    },
  },
  {
    name: 'the storage has every method of the protocol',
    run: ({ storage }) => {
      assert.equal(isStorage(storage), true);
      return Promise.resolve();
    },
  },
  {
    name: 'the capabilities are frozen, and their limits are whole numbers',
    run: ({ storage }) => {
      const { maxKeyBytes, maxMetadataBytes, maxSize, maxConditionalSize } = storage.capabilities;
      assert.ok(Object.isFrozen(storage.capabilities));
      for (const limit of [maxKeyBytes, maxMetadataBytes, maxSize, maxConditionalSize])
        assert.ok(Number.isSafeInteger(limit) && limit > 0);
      return Promise.resolve();
    },
  },
  {
    name: 'a declared size above maxSize is refused before any I/O, where there is a limit',
    run: async (context) => {
      const { storage, key } = context;
      if (context.capabilities.maxSize === Number.MAX_SAFE_INTEGER) {
        // without a limit every length that a number can say is taken as it is declared, and found wrong at the end
        await context.rejects(storage.put(key('a'), 'a', { size: Number.MAX_SAFE_INTEGER }), 'INTEGRITY_FAILED');
        return;
      }
      const file = await storage.put(key('a'), 'old');
      const call = storage.put(key('a'), 'a', { size: context.capabilities.maxSize + 1 });
      await context.rejects(call, 'FILE_TOO_LARGE', { operation: 'put', key: key('a') });
      await expectUnchanged(storage, file, 'old');
    },
  },
  {
    name: 'a declared size above maxConditionalSize is refused under a condition before any I/O, and taken without one',
    needs: 'createOnly',
    run: async (context) => {
      const { storage, key, capabilities } = context;
      if (capabilities.maxConditionalSize >= capabilities.maxSize) return;
      const size = capabilities.maxConditionalSize + 1;
      for (const method of ['put', 'stage'] as const) {
        const source = new PushedSource();
        const call = storage[method](key('a'), source, { size, ifNoneMatch: '*' });
        await context.rejects(call, 'UNSUPPORTED_OPERATION', { operation: method, key: key('a') });
        assert.equal(source.asked, false, 'the source was read');
      }
      await expectMissing(storage, key('a'));
      // one whose length was not declared is found too large before any of it is stored
      const put = storage.put(key('a'), streamInChunks(bytesOf(size), 65_536), { ifNoneMatch: '*' });
      await context.rejects(put, 'UNSUPPORTED_OPERATION', { operation: 'put', key: key('a') });
      await expectMissing(storage, key('a'));
      await context.expectNoLeftovers();
      await storage.put(key('a'), streamInChunks(bytesOf(size), 65_536), { size });
    },
  },
  {
    name: 'createOnly is declared: put and stage take ifNoneMatch',
    needs: 'createOnly',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a', { ifNoneMatch: '*' });
      await (await storage.stage(key('b'), 'b', { ifNoneMatch: '*' })).commit();
    },
  },
  {
    name: 'compareAndSwap is declared: put, stage and delete take ifMatch',
    needs: 'compareAndSwap',
    run: async ({ storage, key }) => {
      const first = await storage.put(key('a'), 'a');
      const second = await storage.put(key('a'), 'b', { ifMatch: first.etag });
      const third = await (await storage.stage(key('a'), 'c', { ifMatch: second.etag })).commit();
      await storage.delete(key('a'), { ifMatch: third.etag });
    },
  },
  {
    name: 'conditionalCopy is declared: copy and move take ifNoneMatch',
    needs: 'conditionalCopy',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), 'a');
      await storage.copy(key('a'), key('b'), { ifNoneMatch: '*' });
      await storage.move(key('a'), key('c'), { ifNoneMatch: '*' });
    },
  },
  {
    name: 'signed URLs are declared: url takes expiresIn, disposition and contentType',
    needs: 'signedUrls',
    run: async ({ storage, key }) => {
      const url = await storage.url(key('a'), { expiresIn: 60, disposition: 'attachment', contentType: 'text/plain' });
      assert.match(url, /^https?:/);
    },
  },
  {
    name: 'upload URLs are declared: uploadUrl gives one',
    needs: 'uploadUrls',
    run: async ({ storage, key }) => {
      assert.match((await storage.uploadUrl(key('a'), { expiresIn: 60 })).url, /^https?:/);
    },
  },
);
