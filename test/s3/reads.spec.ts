import { once } from 'node:events';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from '@jest/globals';
import { bytesOf, chunks, onS3, PART } from './on-s3.js';

await onS3('A download from S3', (bucket) => {
  it('that breaks off is taken up where it broke', async () => {
    const { storage, faults } = bucket.faulty();
    const bytes = await bytesOf(chunks(2 * PART));
    await storage.put('broken', bytes);
    faults.plan = (request, number) =>
      request.startsWith('GetObject') && number <= 3 ? { kind: 'broken body', after: 1_234_567 } : undefined;
    expect((await storage.getBytes('broken')).equals(bytes)).toBe(true);
    expect(faults.count('GetObject')).toBe(4);
    const range = { offset: 99_999, length: 3_000_000 };
    faults.plan = (_, number) => (number === 5 ? { kind: 'broken body', after: 1_000_000 } : undefined);
    expect((await storage.getBytes('broken', { range })).equals(bytes.subarray(99_999, 3_099_999))).toBe(true);
  });

  it('that breaks off and cannot be taken up is an error, and no end', async () => {
    const { storage, faults } = bucket.faulty();
    await storage.put('lost', await bytesOf(chunks(PART)));
    faults.plan = (request, number) =>
      request.startsWith('GetObject')
        ? number === 1
          ? { kind: 'broken body', after: 1000 }
          : { kind: 'status', status: 403 }
        : undefined;
    await expect(storage.getBytes('lost')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it.each(['overwritten', 'deleted'])(
    'that breaks off when the object was %s is an error, and no mixture',
    async (how) => {
      const { storage, faults } = bucket.faulty();
      await storage.put(how, await bytesOf(chunks(PART)));
      faults.plan = (request, number) => {
        if (!request.startsWith('GetObject')) return undefined;
        if (number === 1) return { kind: 'broken body', after: 1_000_000 };
        return {
          kind: 'after',
          wait: () => (how === 'deleted' ? storage.delete(how) : storage.put(how, chunks(PART, 1000))),
        };
      };
      await expect(storage.getBytes(how)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED', key: how });
    },
  );

  it.each(['md5', 'crc32'] as const)('that is not what was stored is an error (%s)', async (integrity) => {
    const { storage, faults } = bucket.faulty({ integrity });
    await storage.put('damaged', 'the bytes that were stored');
    expect((await storage.getBytes('damaged')).toString()).toBe('the bytes that were stored');
    // Ceph 16 keeps no CRC32
    const stored = integrity === 'md5' ? undefined : { 'x-amz-checksum-crc32': 'AAAAAA==' };
    faults.plan = (request) =>
      request.startsWith('GetObject') ? { kind: 'damage', headers: stored ?? {} } : undefined;
    await expect(storage.getBytes('damaged')).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
  });

  it('of an object whose length the server does not say is an error, and not empty', async () => {
    const { storage, faults } = bucket.faulty();
    await storage.put('packed', 'packed by a proxy');
    faults.plan = () => ({ kind: 'status', status: 200, headers: { etag: '"a"' }, body: '' });
    await expect(storage.info('packed')).rejects.toMatchObject({ code: 'STORAGE_FAILURE', retryable: false });
    expect(await storage.exists('packed')).toBe(true);
    await expect(storage.getBytes('packed')).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
  });

  it('that breaks off while nobody reads is taken up when somebody does', async () => {
    const { storage, faults } = bucket.faulty();
    const bytes = await bytesOf(chunks(2 * PART));
    await storage.put('stalled', bytes);
    const broken = new Promise<void>((resolve) => {
      // more than a reader that stands still takes ahead
      faults.plan = (request, number) =>
        request.startsWith('GetObject') && number === 1
          ? { kind: 'broken body', after: PART, onBroken: resolve }
          : undefined;
    });
    const stream = await storage.get('stalled');
    await broken;
    for (let round = 0; round < 5; round++) await storage.info('stalled');
    expect(faults.count('GetObject')).toBe(1);
    expect((await bytesOf(stream)).equals(bytes)).toBe(true);
    expect(faults.count('GetObject')).toBe(2);
  });

  it('that nobody reads holds no socket', async () => {
    const client = new S3Client({ ...bucket.server.connection, requestHandler: { httpAgent: { maxSockets: 2 } } });
    const storage = bucket.storage({ client });
    await storage.put('unread', await bytesOf(chunks(2 * PART)));
    for (let round = 0; round < 10; round++) {
      const stream = await storage.get('unread');
      stream.destroy();
      await once(stream, 'close');
    }
    expect((await storage.info('unread')).size).toBe(2 * PART);
  });
});
