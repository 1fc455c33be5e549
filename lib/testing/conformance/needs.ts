import assert from 'node:assert/strict';
import type { Capabilities, Storage } from '../../contract/index.js';
import type { CheckBody, CheckContext, Need } from './check.js';
import { expectContent, expectMissing, expectSameFile, expectUnchanged } from './expect-stored.js';
import { PushedSource } from './sources/pushed-source.js';

interface NeedRule {
  isDeclared(capabilities: Capabilities): boolean;
  /** What is checked where it is not declared. */
  readonly instead: readonly CheckBody[];
}

/** A write that must be refused before its source is asked for a byte. */
async function expectRefusedWrite(
  context: CheckContext,
  method: 'put' | 'stage',
  options: { readonly ifNoneMatch: '*' } | { readonly ifMatch: string },
): Promise<void> {
  const { storage } = context;
  const key = context.key('refused');
  const source = new PushedSource();
  // it ends for a storage that takes it all the same: that is a failure, not a hang
  void source.give('refused').then(() => {
    source.end();
  });
  await context.rejects(storage[method](key, source, options), 'UNSUPPORTED_OPERATION', { operation: method, key });
  assert.equal(source.asked, false, 'the source was read');
  assert.equal(source.destroyed, true, 'the source was not destroyed');
  await expectMissing(storage, key);
  await context.expectNoLeftovers();
}

async function expectRefusedTransfer(context: CheckContext, method: 'copy' | 'move'): Promise<void> {
  const { storage } = context;
  const [source, destination] = [context.key('source'), context.key('destination')];
  const file = await storage.put(source, 'source');
  const call = storage[method](source, destination, { ifNoneMatch: '*' });
  await context.rejects(call, 'UNSUPPORTED_OPERATION', { operation: method, key: source });
  await expectUnchanged(storage, file, 'source');
  await expectMissing(storage, destination);
}

const refusedUrl = (name: string, options: Parameters<Storage['url']>[1]): CheckBody => ({
  name: `url refuses ${name}, since no signed URLs are declared`,
  run: async (context) => {
    const key = context.key('a.txt');
    const error = await context.rejects(context.storage.url(key, options), 'UNSUPPORTED_OPERATION', {
      operation: 'url',
      key,
    });
    assert.match(error.message, new RegExp(name), 'the message names the option');
  },
});

export const NEEDS: Readonly<Record<Need, NeedRule>> = {
  createOnly: {
    isDeclared: (capabilities) => capabilities.createOnly,
    instead: (['put', 'stage'] as const).map((method) => ({
      name: `${method} refuses ifNoneMatch before any I/O, since createOnly is not declared`,
      run: (context) => expectRefusedWrite(context, method, { ifNoneMatch: '*' }),
    })),
  },
  compareAndSwap: {
    isDeclared: (capabilities) => capabilities.compareAndSwap,
    instead: [
      ...(['put', 'stage'] as const).map((method) => ({
        name: `${method} refuses ifMatch before any I/O, since compareAndSwap is not declared`,
        run: (context: CheckContext) => expectRefusedWrite(context, method, { ifMatch: 'version' }),
      })),
      {
        name: 'delete refuses ifMatch before any I/O, since compareAndSwap is not declared',
        run: async (context) => {
          const key = context.key('kept');
          const { etag } = await context.storage.put(key, 'kept');
          const call = context.storage.delete(key, { ifMatch: etag });
          await context.rejects(call, 'UNSUPPORTED_OPERATION', { operation: 'delete', key });
          await expectContent(context.storage, key, 'kept');
        },
      },
    ],
  },
  conditionalCopy: {
    isDeclared: (capabilities) => capabilities.conditionalCopy,
    instead: (['copy', 'move'] as const).map((method) => ({
      name: `${method} refuses ifNoneMatch before any I/O, since conditionalCopy is not declared`,
      run: (context) => expectRefusedTransfer(context, method),
    })),
  },
  etagCoversAttributes: {
    isDeclared: (capabilities) => capabilities.etagCoversAttributes,
    instead: [
      {
        name: 'put of other attributes only is seen by info, whatever the etag says',
        run: async ({ storage, key }) => {
          await storage.put(key('a'), 'same', { metadata: { version: '1' } });
          const file = await storage.put(key('a'), 'same', { metadata: { version: '2' } });
          expectSameFile(storage, await storage.info(key('a')), file);
          assert.deepEqual(file.metadata, { version: '2' });
        },
      },
    ],
  },
  persistent: {
    isDeclared: (capabilities) => capabilities.persistent,
    instead: [
      {
        name: 'a storage that does not say it is persistent begins empty, each time',
        fresh: true,
        run: async (context) => {
          await context.storage.put('a', 'a');
          const other = await context.create();
          await expectMissing(other, 'a');
        },
      },
    ],
  },
  // the other side of `workingUrls`
  pseudoUrls: { isDeclared: (capabilities) => capabilities.urls === 'none', instead: [] },
  workingUrls: { isDeclared: (capabilities) => capabilities.urls !== 'none', instead: [] },
  signedUrls: {
    isDeclared: (capabilities) => capabilities.urls === 'signed',
    instead: [
      refusedUrl('expiresIn', { expiresIn: 60 }),
      refusedUrl('disposition', { disposition: 'attachment' }),
      refusedUrl('contentType', { contentType: 'text/plain' }),
    ],
  },
  uploadUrls: {
    isDeclared: (capabilities) => capabilities.uploadUrls,
    instead: [
      {
        name: 'uploadUrl is refused, since uploadUrls is not declared',
        run: async (context) => {
          const key = context.key('a');
          const call = context.storage.uploadUrl(key, { expiresIn: 60 });
          await context.rejects(call, 'UNSUPPORTED_OPERATION', { operation: 'uploadUrl', key });
          await expectMissing(context.storage, key);
        },
      },
    ],
  },
};
