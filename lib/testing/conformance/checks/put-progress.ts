import assert from 'node:assert/strict';
import type { TransferProgress } from '../../../contract/index.js';
import { promise } from '../check.js';
import { readAll } from '../expect-stored.js';
import { bytesOf } from '../sources/bytes.js';
import { generate, streamInChunks } from '../sources/streams.js';

const SIZE = 300_000;

/** Asserts that progress never falls, and ends at the size; says the total where it is known. */
function expectProgress(seen: readonly TransferProgress[], size: number, total: number | undefined): void {
  assert.ok(seen.length > 0, 'onProgress was not called');
  let last = -1;
  for (const progress of seen) {
    assert.ok(progress.transferred >= last, `progress fell from ${last} to ${progress.transferred}`);
    assert.equal(progress.total, total);
    last = progress.transferred;
  }
  assert.equal(last, size, 'the last progress is not the size');
}

export const putProgress = promise(
  'put reports progress that never falls and ends at the size',
  {
    name: 'put of a stream of unknown length reports progress without a total',
    run: async ({ storage, key }) => {
      const seen: TransferProgress[] = [];
      await storage.put(key('a'), streamInChunks(bytesOf(SIZE), 10_000), { onProgress: (now) => seen.push(now) });
      expectProgress(seen, SIZE, undefined);
      assert.ok(seen.length > 1, 'progress came once only');
    },
  },
  {
    name: 'put of a declared length reports the total',
    run: async ({ storage, key }) => {
      const seen: TransferProgress[] = [];
      await storage.put(key('a'), streamInChunks(bytesOf(SIZE), 10_000), {
        size: SIZE,
        onProgress: (now) => seen.push(now),
      });
      expectProgress(seen, SIZE, SIZE);
    },
  },
  {
    name: 'put of bytes in memory reports the total',
    run: async ({ storage, key }) => {
      const seen: TransferProgress[] = [];
      await storage.put(key('a'), bytesOf(SIZE), { onProgress: (now) => seen.push(now) });
      expectProgress(seen, SIZE, SIZE);
    },
  },
  {
    name: 'put of nothing reports that nothing was all',
    run: async ({ storage, key }) => {
      const seen: TransferProgress[] = [];
      await storage.put(key('a'), generate(), { onProgress: (now) => seen.push(now) });
      expectProgress(seen, 0, undefined);
    },
  },
  {
    name: 'stage reports progress as put does',
    run: async ({ storage, key }) => {
      const seen: TransferProgress[] = [];
      const staged = await storage.stage(key('a'), streamInChunks(bytesOf(SIZE), 10_000), {
        onProgress: (now) => seen.push(now),
      });
      expectProgress(seen, SIZE, undefined);
      await staged.abort();
    },
  },
  {
    name: 'get reports progress up to the size',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(SIZE));
      const seen: TransferProgress[] = [];
      await readAll(await storage.get(key('a'), { onProgress: (now) => seen.push(now) }));
      expectProgress(seen, SIZE, SIZE);
    },
  },
  {
    name: 'get of a range reports progress up to the length of the range',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(SIZE));
      const seen: TransferProgress[] = [];
      const range = { offset: 1000, length: 5000 };
      await readAll(await storage.get(key('a'), { range, onProgress: (now) => seen.push(now) }));
      expectProgress(seen, 5000, 5000);
    },
  },
  {
    name: 'getBytes reports progress up to the size',
    run: async ({ storage, key }) => {
      await storage.put(key('a'), bytesOf(SIZE));
      const seen: TransferProgress[] = [];
      await storage.getBytes(key('a'), { onProgress: (now) => seen.push(now) });
      expectProgress(seen, SIZE, SIZE);
    },
  },
);
