import { expect, it } from '@jest/globals';
import { bytesOf, chunks, onS3, PART } from './on-s3.js';

await onS3('Conditions', (bucket) => {
  it('that the server decides are found out by a probe, which leaves nothing', async () => {
    const { storage, faults } = bucket.faulty({ conditions: undefined });
    await storage.open();
    // Ceph 16: creates of one request, and nothing else
    expect(storage.capabilities).toMatchObject({ createOnly: true, compareAndSwap: false, maxConditionalSize: PART });
    expect(faults.count('PutObject')).toBeGreaterThan(10);
    const listed: string[] = [];
    for await (const { key } of bucket.storage().list()) listed.push(key);
    expect(listed).toEqual([]);
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('are found out although no create hears that it has won', async () => {
    const { storage, faults } = bucket.faulty({ conditions: 'probe' });
    faults.plan = (request) => {
      if (!request.startsWith('PutObject')) return undefined;
      return faults.count('PutObject') <= 12 ? { kind: 'lost answer' } : undefined;
    };
    await storage.open();
    expect(storage.capabilities.createOnly).toBe(true);
  });

  it('are refused where the probe may not write', async () => {
    const { storage, faults } = bucket.faulty({ conditions: 'probe' });
    faults.plan = (request) => (request.startsWith('PutObject') ? { kind: 'status', status: 403 } : undefined);
    // it was called before the storage knew
    await expect(storage.put('a', 'a', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'UNSUPPORTED_OPERATION' });
    expect(storage.capabilities).toMatchObject({ createOnly: false, conditionalCopy: false });
    await expect(storage.put('a', 'a', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'UNSUPPORTED_OPERATION' });
  });

  it.each([
    ['SignatureDoesNotMatch', 'PERMISSION_DENIED'],
    ['InvalidAccessKeyId', 'PERMISSION_DENIED'],
    ['RequestTimeTooSkewed', 'INVALID_CONFIGURATION'],
  ])('are not merely refused where the server says %s: the storage does not open', async (said, code) => {
    const { storage, faults } = bucket.faulty({ conditions: 'probe' });
    const body = `<Error><Code>${said}</Code><Message>so</Message></Error>`;
    faults.plan = () => ({ kind: 'status', status: 403, body });
    await expect(storage.open()).rejects.toMatchObject({ code });
  });

  it('hold for a copy too: what is there is not replaced, and what would be of several parts is refused', async () => {
    const { storage, faults } = bucket.faulty();
    await storage.put('source', 'source', { metadata: { a: '1' } });
    await storage.put('there', 'there');
    await storage.put('large', await bytesOf(chunks(PART + 1)));
    await expect(storage.copy('source', 'there', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(await storage.copy('source', 'new', { ifNoneMatch: '*' })).toMatchObject({ metadata: { a: '1' } });
    await expect(storage.copy('large', 'larger', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
    expect(await storage.exists('larger')).toBe(false);
    // by its length, and not after a part of it has been read
    expect(faults.count('GetObject large')).toBe(0);
  });
});
