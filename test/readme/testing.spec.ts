import { describe, expect, it } from '@jest/globals';
import { MemoryStorage, QuotaExceededError, type Storage } from 'nestjs-storages';
import { FaultyStorage, runConformance } from 'nestjs-storages/testing';

// #region album
async function storeAlbum(storage: Storage, names: readonly string[]): Promise<void> {
  const stored: string[] = [];
  try {
    for (const name of names) stored.push((await storage.put(name, 'picture', { ifNoneMatch: '*' })).key);
  } catch (error) {
    await storage.deleteMany(stored);
    throw error;
  }
}
// #endregion album

describe('an album', () => {
  // #region faults
  it('is stored as a whole or not at all', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    faulty.fail('put', { on: 2, error: new QuotaExceededError('The disk is full.') });

    await expect(storeAlbum(faulty, ['a.jpg', 'b.jpg'])).rejects.toThrow('full');

    expect(await faulty.exists('a.jpg')).toBe(false);
  });
  // #endregion faults

  // #region gate
  it('is not there before it is committed', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    const gate = faulty.hold('commit');

    const storing = faulty.stage('a.jpg', 'picture').then((staged) => staged.commit());
    await gate.reached;
    expect(await faulty.exists('a.jpg')).toBe(false);
    gate.release();
    await storing;

    expect(await faulty.exists('a.jpg')).toBe(true);
  });
  // #endregion gate
});

// #region run
it('keeps the promises about ranges', async () => {
  const { failed, results } = await runConformance(
    {
      name: 'MemoryStorage',
      capabilities: new MemoryStorage().capabilities,
      create: (options) => {
        const storage = new MemoryStorage(options);
        return Promise.resolve({ storage, close: () => storage.close() });
      },
    },
    { only: ({ name }) => name.includes('range') },
  );
  expect(results.length).toBeGreaterThan(0);
  expect(failed.map(({ name, error }) => [name, error])).toEqual([]);
});
// #endregion run
