import { expect, it } from '@jest/globals';
import { BufferBudget } from '../../lib/backends/s3/buffer-budget.js';
import { chunks, MIB, onS3, PART } from './on-s3.js';

await onS3('The memory of all uploads together', (bucket) => {
  it('stays within its budget, and all of them end', async () => {
    const maxBufferedBytes = 4 * PART;
    const storage = bucket.storage({ maxBufferedBytes });
    let most = 0;
    const watched = async function* (size: number): AsyncGenerator<Buffer> {
      for await (const chunk of chunks(size, 256 * 1024)) {
        most = Math.max(most, storage.bufferedBytes);
        yield chunk;
      }
    };
    // each alone would hold a part and what is on its way
    const puts = Array.from({ length: 30 }, (_, n) => storage.put(`many/${n}`, watched(PART + n * 1000 + 1)));
    const files = await Promise.all(puts);
    expect(files.map(({ size }) => size)).toEqual(files.map((_, n) => PART + n * 1000 + 1));
    // a chunk of each has come already when its source is told to wait
    expect(most).toBeLessThanOrEqual(maxBufferedBytes + 30 * 256 * 1024);
    expect(most).toBeGreaterThan(2 * PART);
    expect(storage.bufferedBytes).toBe(0);
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('is nobody\u2019s to keep who stages files: beyond half of it they wait at the server', async () => {
    const storage = bucket.storage({ maxBufferedBytes: 4 * PART });
    const staged = [];
    // one after the other, as a request stages its files: none of them is committed before all have come
    for (let n = 0; n < 12; n++) staged.push(await storage.stage(`staged/${n}`, chunks(3 * MIB)));
    expect(storage.bufferedBytes).toBeLessThanOrEqual(2 * PART);
    expect((await bucket.openUploads()).length).toBeGreaterThanOrEqual(9);
    await storage.put('between', chunks(2 * PART));
    for (const file of staged) await file.commit();
    expect((await storage.info('staged/11')).size).toBe(3 * MIB);
    expect(storage.bufferedBytes).toBe(0);
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('refuses staged creates that could wait at no server, rather than let a request wait for itself', async () => {
    const storage = bucket.storage({ maxBufferedBytes: 4 * PART });
    const stage = (n: number) => storage.stage(`create/${n}`, chunks(3 * MIB), { ifNoneMatch: '*' });
    const staged = [await stage(0), await stage(1)];
    await expect(stage(2)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: true });
    for (const file of staged) await file.abort();
    await (await stage(3)).commit();
    expect(storage.bufferedBytes).toBe(0);
  });

  it('is given back by uploads that fail', async () => {
    const storage = bucket.storage({ maxBufferedBytes: 4 * PART });
    const puts = Array.from({ length: 20 }, (_, n) =>
      storage.put(`failing/${n}`, chunks(PART - 1, MIB, new Error('broke'))),
    );
    for (const result of await Promise.allSettled(puts))
      expect(result).toMatchObject({ reason: { code: 'SOURCE_FAILED' } });
    expect(storage.bufferedBytes).toBe(0);
  });
});

it('BufferBudget lets the first of those that wait fill its part, and the next when that is sent', () => {
  const budget = new BufferBudget(30, 10);
  const called: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((name) => budget.share(() => called.push(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three shares');
  for (const share of [a, b, c]) share.add(8);
  expect([a.hasRoom(), b.hasRoom(), c.hasRoom()]).toEqual([true, false, false]);
  a.add(2);
  a.filled();
  expect(a.hasRoom()).toBe(false);
  // 16 are left, below 20: all may go on, in the order in which they asked
  a.remove(10);
  expect(called).toEqual(['b', 'c', 'a']);
});
