import { expect, it } from '@jest/globals';
import { chunks, onS3, PART } from './on-s3.js';

await onS3('sweep', (bucket) => {
  it('gives up what a process has left that was killed, and nothing that is younger', async () => {
    const killed = bucket.storage();
    await killed.stage('left', chunks(2 * PART));
    await killed.stage('left too', chunks(2 * PART));
    const storage = bucket.storage();
    expect(await storage.sweep({ olderThan: '1h' })).toEqual({ aborted: 0 });
    expect(await bucket.openUploads()).toHaveLength(2);
    // the server tells the beginning in whole seconds, or later than it was
    while ((await storage.sweep({ olderThan: 0 })).aborted > 0);
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('leaves what this storage has under way', async () => {
    const storage = bucket.storage();
    const staged = await storage.stage('mine', chunks(2 * PART));
    expect(await storage.sweep({ olderThan: 0 })).toEqual({ aborted: 0 });
    expect((await staged.commit()).size).toBe(2 * PART);
  });

  it('of another process ends an upload that was still under way as a failure that may be repeated', async () => {
    const storage = bucket.storage();
    const other = bucket.storage();
    const swept = async function* (): AsyncGenerator<Buffer> {
      yield* chunks(PART + 1);
      while ((await other.sweep({ olderThan: 0 })).aborted === 0);
      yield* chunks(2 * PART);
    };
    await expect(storage.put('swept', swept())).rejects.toMatchObject({
      code: 'STORAGE_FAILURE',
      retryable: true,
      message: expect.stringContaining('given up') as unknown,
    });
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('is no success where the server shows some of the uploads and does not say where the others are', async () => {
    const { storage, faults } = bucket.faulty();
    const page = (next: string): string =>
      `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>${next}</ListMultipartUploadsResult>`;
    for (const next of ['', '<NextKeyMarker>a</NextKeyMarker>']) {
      faults.plan = () => ({ kind: 'status', status: 200, body: page(next) });
      await expect(storage.sweep({ olderThan: '1d' })).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    }
  });

  it('wants to know how old', async () => {
    const storage = bucket.storage();
    await expect(storage.sweep({} as { olderThan: number })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
