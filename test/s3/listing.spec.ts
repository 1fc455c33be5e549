import { expect, it } from '@jest/globals';
import { onS3 } from './on-s3.js';

await onS3('A listing', (bucket) => {
  it('asks for no page that its limit does not need', async () => {
    const { storage, faults } = bucket.faulty();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await storage.put(name, name);
    const listed = async (limit: number): Promise<string[]> => {
      const keys: string[] = [];
      for await (const { key } of storage.list('', { limit })) keys.push(key);
      return keys;
    };
    expect(await listed(2)).toEqual(['a', 'b']);
    expect(await listed(4)).toEqual(['a', 'b', 'c', 'd']);
    expect(faults.count('ListObjects')).toBe(2);
  });

  it('reaches its limit although names that are no keys lie between', async () => {
    const { storage, faults } = bucket.faulty({ prefix: 'mixed' });
    for (const name of ['mixed/a//b', 'mixed/a/', 'mixed/b/']) await bucket.server.put(bucket.name, name);
    for (const name of ['c', 'd', 'e']) await storage.put(name, name);
    const keys: string[] = [];
    for await (const { key } of storage.list('', { limit: 2 })) keys.push(key);
    expect(keys).toEqual(['c', 'd']);
    expect(faults.count('ListObjects')).toBe(3);
  });

  it('that the server cuts short without a word is an error, and no end', async () => {
    const { storage, faults } = bucket.faulty({ prefix: 'cut' });
    const page = (token: string): string =>
      `<ListBucketResult><IsTruncated>true</IsTruncated>${token}<Contents><Key>cut/a</Key><Size>1</Size></Contents></ListBucketResult>`;
    const listed = async (token: string): Promise<string[]> => {
      faults.plan = (request) =>
        request.startsWith('ListObjects') ? { kind: 'status', status: 200, body: page(token) } : undefined;
      const keys: string[] = [];
      for await (const { key } of storage.list()) keys.push(key);
      return keys;
    };
    const endless = '<NextContinuationToken>same</NextContinuationToken>';
    for (const token of ['', endless]) {
      await expect(listed(token)).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    }
    await expect(storage.deletePrefix('', { all: true })).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    // whoever wants no more misses nothing
    const first: string[] = [];
    for await (const { key } of storage.list('', { limit: 1 })) first.push(key);
    expect(first).toEqual(['a']);
  });
});
