import { describe, expect, it } from '@jest/globals';
import { Bucket } from '../../lib/backends/s3/bucket.js';
import { checkS3StorageConfig } from '../../lib/backends/s3/s3-storage-config.js';
import { copyObject } from '../../lib/backends/s3/server-copy.js';
import { FaultyClient } from './faulty-client.js';
import { bytesOf, chunks, onS3, PART } from './on-s3.js';

await onS3('A copy on the server', (bucket) => {
  it('is one request after a look at its source', async () => {
    const { storage, faults } = bucket.faulty();
    await storage.put('source', 'body', { metadata: { a: 'ä' } });
    faults.requests.length = 0;
    expect(await storage.copy('source', 'copy')).toMatchObject({ metadata: { a: 'ä' }, size: 4 });
    expect(faults.requests).toEqual(['HeadObject source', 'CopyObject copy']);
  });

  it('of what one request cannot copy is made by parts, with the attributes', async () => {
    const storage = bucket.storage();
    const bytes = await bytesOf(chunks(2 * PART + 99));
    await storage.put('large ü', bytes, { metadata: { a: '1' }, contentType: 'text/x-a', cacheControl: 'no-store' });
    const settings = checkS3StorageConfig({ ...bucket.server.connection, bucket: bucket.name });
    const opened = await Bucket.open(settings);
    const file = await copyObject(opened, 'large ü', 'large copy', {}, { atOnce: PART, partSize: PART });
    opened.close();
    expect(file).toMatchObject({
      size: bytes.length,
      metadata: { a: '1' },
      contentType: 'text/x-a',
      cacheControl: 'no-store',
    });
    expect((await storage.getBytes('large copy')).equals(bytes)).toBe(true);
    expect(await bucket.openUploads()).toEqual([]);
  });

  describe('by many parts', () => {
    const copyByParts = async (
      signal?: AbortSignal,
      partSize = PART / 20,
    ): Promise<{ readonly faults: FaultyClient; readonly copy: Promise<unknown> }> => {
      await bucket.storage().put('many', await bytesOf(chunks(2 * PART)));
      const faults = new FaultyClient(bucket.server.connection, { maxAttempts: 1 });
      const opened = await Bucket.open(checkS3StorageConfig({ client: faults.client, bucket: bucket.name }));
      const plan = { atOnce: PART, partSize };
      return { faults, copy: copyObject(opened, 'many', 'many copied', { ...(signal && { signal }) }, plan) };
    };

    it('takes larger ones where 10,000 would not do', async () => {
      const { faults, copy } = await copyByParts(undefined, 1024);
      faults.plan = () => (faults.count('UploadPartCopy') > 20 ? { kind: 'status', status: 403 } : undefined);
      // too small for a server, in sum
      await expect(copy).rejects.toMatchObject({ name: 'EntityTooSmall' });
      expect(faults.count('UploadPartCopy')).toBe(10);
    });

    it('ends when it is aborted', async () => {
      const controller = new AbortController();
      const { faults, copy } = await copyByParts(controller.signal);
      faults.onRequest = (request) => {
        if (request.startsWith('UploadPartCopy')) controller.abort();
      };
      await expect(copy).rejects.toMatchObject({ code: 'ABORTED' });
      // those that were under way, of 40
      expect(faults.count('UploadPartCopy')).toBeLessThanOrEqual(4);
      expect(await bucket.openUploads()).toEqual([]);
    });

    it('ends when one of them fails', async () => {
      const { faults, copy } = await copyByParts();
      faults.plan = (request) =>
        request === 'UploadPartCopy many copied 1' ? { kind: 'status', status: 403 } : undefined;
      await expect(copy).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
      expect(faults.count('UploadPartCopy')).toBeLessThan(30);
      expect(await bucket.openUploads()).toEqual([]);
    });
  });

  it('whose answer says 200 and holds an error is repeated', async () => {
    const { storage, faults } = bucket.faulty();
    await storage.put('source', 'body');
    const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>so</Message></Error>';
    faults.plan = (request, number) =>
      request.startsWith('CopyObject') && number === 1 ? { kind: 'status', status: 200, body } : undefined;
    expect((await storage.copy('source', 'after an error')).size).toBe(4);
    expect(faults.count('CopyObject')).toBe(2);
    expect((await storage.getBytes('after an error')).toString()).toBe('body');
  });

  it('and a completion whose answer says 200 and holds an error is repeated too', async () => {
    const { storage, faults } = bucket.faulty();
    const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>so</Message></Error>';
    faults.plan = (request, number) =>
      request.startsWith('Complete') && number === 1 ? { kind: 'status', status: 200, body } : undefined;
    expect((await storage.put('completed', chunks(2 * PART))).size).toBe(2 * PART);
    expect(faults.count('Complete')).toBe(2);
  });
});
