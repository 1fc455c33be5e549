import { expect, it } from '@jest/globals';
import type { S3Storage } from 'nestjs-storages/s3';
import { bytesOf, chunks, onS3, PART } from './on-s3.js';

type Row = readonly [call: string, run: (storage: S3Storage) => Promise<unknown>, ...requests: string[]];

/** As docs/s3.md has them: each is paid for. */
const ROWS: readonly Row[] = [
  ['put', (storage) => storage.put('a', 'a'), 'PutObject'],
  ['put that creates', (storage) => storage.put('new', 'a', { ifNoneMatch: '*' }), 'PutObject'],
  [
    'put of two parts',
    (storage) => storage.put('large', chunks(PART + 1)),
    'CompleteMultipartUpload',
    'CreateMultipartUpload',
    'HeadObject',
    'UploadPart',
    'UploadPart',
  ],
  ['stage and commit', async (storage) => (await storage.stage('a', 'a')).commit(), 'PutObject'],
  ['getBytes', (storage) => storage.getBytes('there'), 'GetObject'],
  ['info', (storage) => storage.info('there'), 'HeadObject'],
  ['exists', (storage) => storage.exists('there'), 'HeadObject'],
  ['copy', (storage) => storage.copy('there', 'copy'), 'CopyObject', 'HeadObject'],
  [
    'copy that creates',
    (storage) => storage.copy('there', 'copy that is new', { ifNoneMatch: '*' }),
    'GetObject',
    'HeadObject',
    'HeadObject',
    'PutObject',
  ],
  ['move', (storage) => storage.move('to move', 'moved'), 'CopyObject', 'DeleteObject', 'HeadObject', 'HeadObject'],
  ['delete', (storage) => storage.delete('moved'), 'DeleteObject', 'HeadObject'],
  ['delete with force', (storage) => storage.delete('moved', { force: true }), 'DeleteObject'],
  ['deleteMany', (storage) => storage.deleteMany(['a', 'copy']), 'DeleteObjects'],
  ['list', (storage) => keysOf(storage.list()), 'ListObjects'],
  ['listEntries', (storage) => keysOf(storage.listEntries()), 'ListObjects'],
  ['deletePrefix', (storage) => storage.deletePrefix('new'), 'DeleteObjects', 'ListObjects'],
  ['url', (storage) => storage.url('there')],
  ['uploadUrl', (storage) => storage.uploadUrl('there', { expiresIn: 60 })],
];

async function keysOf(listing: AsyncIterable<unknown>): Promise<void> {
  // to its end
  for await (const _ of listing);
}

await onS3('What a call of S3Storage asks of the server', (bucket) => {
  it('is what the documentation says, and no request more', async () => {
    const { storage, faults } = bucket.faulty();
    for (const key of ['there', 'to move']) await storage.put(key, await bytesOf(chunks(10)));
    // the first key that is missing costs a look at the bucket
    expect(await storage.exists('missing')).toBe(false);
    for (const [call, run, ...expected] of ROWS) {
      faults.requests.length = 0;
      await run(storage);
      expect([call, ...faults.requests.map((request) => request.split(' ')[0]).sort()]).toEqual([call, ...expected]);
    }
  });
});
