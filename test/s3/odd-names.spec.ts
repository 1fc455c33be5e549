import { expect, it } from '@jest/globals';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { onS3 } from './on-s3.js';

/** XML has no form for them, and a key may have them. */
const NOT_IN_XML = ['a\uFFFE', 'b\uFFFF/c'];

await onS3('Names that XML cannot hold', (bucket) => {
  it('keep no other key from being deleted', async () => {
    const { storage, faults } = bucket.faulty({ prefix: 'odd' });
    const keys = [...NOT_IN_XML, 'plain', '\u2028 & <'];
    for (const key of keys) await storage.put(key, key);
    const { deleted, failed } = await storage.deleteMany([...keys, 'missing', 'missing\uFFFE']);
    expect(failed).toEqual([]);
    expect([...deleted].sort()).toEqual([...keys, 'missing', 'missing\uFFFE'].sort());
    expect([faults.count('DeleteObjects'), faults.count('DeleteObject ')]).toEqual([1, 3]);
    expect(await bucket.server.keys(bucket.name)).toEqual([]);
  });

  it('keep no other key from being deleted by its prefix', async () => {
    const storage = bucket.storage({ prefix: 'odder' });
    for (const key of [...NOT_IN_XML, 'plain']) await storage.put(key, key);
    expect(await storage.deletePrefix('', { all: true })).toMatchObject({ failed: [] });
    expect(await bucket.server.keys(bucket.name)).toEqual([]);
  });

  it('fail by themselves', async () => {
    const { storage, faults } = bucket.faulty({ prefix: 'odd' });
    await storage.put('plain', '');
    faults.plan = (request) => (request.startsWith('DeleteObject ') ? { kind: 'status', status: 403 } : undefined);
    const { deleted, failed } = await storage.deleteMany(['plain', 'a\uFFFE']);
    expect(deleted).toEqual(['plain']);
    expect(failed).toMatchObject([{ key: 'a\uFFFE', error: { code: 'PERMISSION_DENIED' } }]);
  });

  it('keep no other upload from being swept, where the server fails at plain names', async () => {
    const { storage, faults } = bucket.faulty();
    for (const Key of ['swept %2F+', 'swept\uFFFE']) {
      await bucket.server.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key }));
    }
    const ids = new Map((await bucket.openUploads()).map((upload) => [upload.slice(0, 7), upload.split(' ').at(-1)]));
    const page = (name: string, id: string | undefined, next: string): string =>
      `<ListMultipartUploadsResult><EncodingType>url</EncodingType>${next}<Upload><Key>${name}</Key><UploadId>${id ?? ''}</UploadId>` +
      '<Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>';
    // as Swift answers, and Ceph does not
    const pages = new Map([
      [
        'ListMultipartUploads url',
        page(
          'swept%20%252F%2B',
          ids.get('swept %'),
          '<IsTruncated>true</IsTruncated><NextKeyMarker>swept%20%252F%2B</NextKeyMarker>',
        ),
      ],
      ['ListMultipartUploads url swept %2F+', page('swept%EF%BF%BE', ids.get('swept\uFFFE '), '')],
    ]);
    faults.plan = (request) => {
      const body = pages.get(request);
      if (body !== undefined) return { kind: 'other answer', body };
      return request.startsWith('ListMultipartUploads') ? { kind: 'status', status: 500 } : undefined;
    };
    expect(await storage.sweep({ olderThan: '1d' })).toEqual({ aborted: 2 });
    expect(await bucket.openUploads()).toEqual([]);
  });
});
