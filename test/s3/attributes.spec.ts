import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Storage } from 'nestjs-storages/s3';
import { onS3 } from './on-s3.js';

/** The mark of a conditional put, which is not shown. */
const MARK = 'nestjs-storages-put';
const PREFIX = 'x-amz-meta-';

await onS3('The metadata of an object in S3', (bucket) => {
  it.each([[{}], [{ ifNoneMatch: '*' } as const]])(
    'comes back as it was given, whatever its names are (%j)',
    async (condition) => {
      const storage = bucket.storage();
      const metadata = { [MARK]: 'a caller\u2019s own', a_b: '_', 'c%d': '%20', '%5f': 'ü', n: '' };
      const key = Object.keys(condition).join('');
      await storage.put(`m${key}`, 'm', { metadata, ...condition });
      expect((await storage.info(`m${key}`)).metadata).toEqual(metadata);
    },
  );
});

describe('The metadata of an object, with its names as they are sent,', () => {
  const NAMES = 20;
  /** So many bytes by the contract's count, where `_` is one. */
  const metadataOf = (bytes: number): Record<string, string> => ({
    ...Object.fromEntries(Array.from({ length: NAMES }, (_, n) => [`_${String(n).padStart(2, '0')}`, 'v'])),
    v: 'v'.repeat(bytes - 4 * NAMES - 1),
  });

  it.each([
    ['Amazon takes it, in full', undefined, 2048, 2048],
    ['Amazon takes it, with the mark of a conditional put', undefined, 2048 - 51, 2048],
    [
      'another server takes it, where the mark has no room beside escaped names',
      'http://s3.example',
      2048 - 51,
      2048 - 51 + 2 * NAMES,
    ],
  ])('is no longer than %s', async (_, endpoint, given, sent) => {
    const sizes: number[] = [];
    const conditions = { createOnly: true, multipart: true, compareAndSwap: true };
    const storage = new S3Storage({ bucket: 'b', client: clientInto(sizes, endpoint), conditions });
    await storage.put('key', 'x', { metadata: metadataOf(given), ifNoneMatch: '*' });
    await storage.close();
    expect(sizes).toEqual([sent]);
  });
});

/** Takes every put, and notes the bytes of its metadata as S3 counts them. */
function clientInto(sizes: number[], endpoint: string | undefined): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    ...(endpoint !== undefined && { endpoint }),
    requestHandler: {
      handle: ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
        const metadata = Object.entries(headers).filter(([name]) => name.startsWith(PREFIX));
        sizes.push(metadata.reduce((sum, [name, value]) => sum + name.length - PREFIX.length + value.length, 0));
        const response = { statusCode: 200, headers: { etag: '"e"' }, body: new PassThrough().end() };
        return Promise.resolve({ response }) as never;
      },
    },
  });
}
