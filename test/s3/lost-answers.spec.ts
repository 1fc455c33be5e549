import { expect, it } from '@jest/globals';
import { chunks, onS3, PART } from './on-s3.js';

await onS3('An answer that is lost', (bucket) => {
  it.each([1, 3])('to the completion of an upload (%i times) is no failure', async (times) => {
    const { storage, faults } = bucket.faulty();
    faults.plan = (request, number) =>
      request.startsWith('Complete') && number <= times ? { kind: 'lost answer' } : undefined;
    const file = await storage.put(`completed ${times}`, chunks(2 * PART), { metadata: { a: '1' } });
    expect(await storage.info(`completed ${times}`)).toEqual(file);
    expect(await bucket.openUploads()).toEqual([]);
  });

  it.each([1, 3])('to a put (%i times) is no failure', async (times) => {
    const { storage, faults } = bucket.faulty();
    faults.plan = (request, number) =>
      request.startsWith('PutObject') && number <= times ? { kind: 'lost answer' } : undefined;
    const file = await storage.put(`put ${times}`, 'body', { metadata: { a: '1' } });
    expect(file).toMatchObject({ size: 4, metadata: { a: '1' } });
  });

  it('to a create leaves its own object its winner', async () => {
    const { storage, faults } = bucket.faulty();
    faults.plan = (request, number) =>
      request.startsWith('PutObject') && number === 1 ? { kind: 'lost answer' } : undefined;
    const file = await storage.put('created', 'lock', { ifNoneMatch: '*', metadata: { owner: 'ada' } });
    expect(faults.count('PutObject')).toBe(2);
    expect(await storage.info('created')).toEqual(file);
    // by what it was told apart is nobody's business
    expect(file.metadata).toEqual({ owner: 'ada' });
  });

  it('to a create that another one with the same bytes has won is a refusal', async () => {
    const { storage, faults } = bucket.faulty();
    const other = bucket.storage();
    faults.plan = (request, number) =>
      request.startsWith('PutObject') && number === 1
        ? { kind: 'after', wait: () => other.put('lock', 'lock', { ifNoneMatch: '*' }) }
        : request.startsWith('PutObject') && number === 2
          ? { kind: 'lost answer' }
          : undefined;
    await expect(storage.put('lock', 'lock', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  });

  it('to the beginning of an upload never costs another writer of the same key its own', async () => {
    const { storage, faults } = bucket.faulty();
    const last = new Promise<void>((resolve) => {
      faults.plan = (request, number) => {
        if (!request.startsWith('Create')) return undefined;
        return number === 1 ? { kind: 'late answer', wait: () => failed } : { kind: 'lost answer' };
      };
      faults.onRequest = (request) => {
        if (request.startsWith('Create')) resolve();
      };
    });
    const first = storage.put('twice', chunks(2 * PART));
    await last;
    const failed = storage.put('twice', chunks(2 * PART)).then(
      () => 'stored',
      (error: unknown) => (error as { readonly code: string }).code,
    );
    expect(await failed).toBe('CONNECTION_FAILED');
    expect(await storage.info('twice').catch(() => undefined)).toBeUndefined();
    expect((await first).size).toBe(2 * PART);
    // they have no parts
    expect(await storage.sweep({ olderThan: 0 })).toEqual({ aborted: 3 });
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('in part, without the name of the upload that was begun, leaves none open', async () => {
    const { storage, faults } = bucket.faulty();
    const body =
      '<?xml version="1.0"?><InitiateMultipartUploadResult><Key>nameless</Key></InitiateMultipartUploadResult>';
    faults.plan = (request) => (request.startsWith('Create') ? { kind: 'other answer', body } : undefined);
    await expect(storage.put('nameless', chunks(2 * PART))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(await bucket.openUploads()).toEqual([]);
  });

  it('that no repetition brings is a failure that may be repeated, where nothing arrived', async () => {
    const { storage, faults } = bucket.faulty();
    faults.plan = (request) => (request.startsWith('PutObject') ? { kind: 'status', status: 503 } : undefined);
    await expect(storage.put('never', 'body')).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    expect(await storage.exists('never')).toBe(false);
  });
});
