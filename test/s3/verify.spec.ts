import { expect, it } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Storage } from 'nestjs-storages/s3';
import { CEPH_CONDITIONS, onS3, withClock } from './on-s3.js';

await onS3('verify', (bucket) => {
  const messageOf = async (config: object): Promise<string> => {
    const { connection } = bucket.server;
    const storage = new S3Storage({
      ...connection,
      bucket: bucket.name,
      conditions: CEPH_CONDITIONS,
      maxAttempts: 1,
      ...config,
    });
    try {
      await storage.verify();
      return 'nothing';
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      expect(message).not.toContain(connection.credentials.secretAccessKey);
      return `${code}: ${message}`;
    } finally {
      await storage.close();
    }
  };

  it('finds nothing wrong where nothing is', async () => {
    expect(await messageOf({})).toBe('nothing');
    expect(await messageOf({ prefix: 'empty' })).toBe('nothing');
  });

  it('says in one sentence what is', async () => {
    const { accessKeyId } = bucket.server.connection.credentials;
    expect(await messageOf({ bucket: 'there-is-none' })).toMatch(
      /^INVALID_CONFIGURATION: There is no bucket there-is-none \(404 NoSuchBucket.*\): make it first, or correct `bucket`/,
    );
    const wrong = { credentials: { accessKeyId, secretAccessKey: 'wrong' } };
    expect(await messageOf(wrong)).toMatch(/^PERMISSION_DENIED: The server does not accept the credentials/);
    expect(await messageOf({ endpoint: 'http://127.0.0.1:1' })).toMatch(
      /^CONNECTION_FAILED: The server cannot be reached \(ECONNREFUSED\): .*`endpoint`/,
    );
  });

  it('says that the provider of the credentials fails, and not that the server does', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8200'), { code: 'ECONNREFUSED' });
    const credentials = (): Promise<never> => Promise.reject(refused);
    expect(await messageOf({ credentials })).toBe(
      'CONNECTION_FAILED: The credentials for the server could not be got: their provider failed.',
    );
    const storage = bucket.storage({ credentials });
    await expect(storage.put('a', 'a')).rejects.toMatchObject({ retryable: true, cause: refused });
    const wrong = bucket.storage({ credentials: () => Promise.reject(new TypeError('no such profile')) });
    await expect(wrong.put('a', 'a')).rejects.toMatchObject({ code: 'STORAGE_FAILURE', retryable: false });
    await expect(wrong.url('a')).rejects.toMatchObject({
      code: 'STORAGE_FAILURE',
      message: 'The credentials for the server could not be got: their provider failed.',
    });
  });

  it('blames no credentials for a region that is none', async () => {
    const storage = bucket.storage({ region: 'eu central' });
    await expect(storage.put('a', 'a')).rejects.toMatchObject({
      message: expect.not.stringContaining('credentials') as unknown,
    });
  });

  it('says so of the provider of a client that was given, too', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8200'), { code: 'ECONNREFUSED' });
    const config = { ...bucket.server.connection, credentials: () => Promise.reject(refused) };
    const storage = bucket.storage({ client: new S3Client(config) });
    const failed = {
      code: 'CONNECTION_FAILED',
      message: 'The credentials for the server could not be got: their provider failed.',
      cause: refused,
    };
    await expect(storage.put('a', 'a')).rejects.toMatchObject(failed);
    await expect(storage.url('a')).rejects.toMatchObject(failed);
    await expect(storage.uploadUrl('a', { expiresIn: 60, maxSize: 1 })).rejects.toMatchObject(failed);
  });

  it.each([
    [-3_600_000, 'behind'],
    [3_600_000, 'ahead of'],
  ])('says that the clock is off (%i ms), although requests are sent again with the right date', async (ms, where) => {
    await withClock(ms, async () => {
      const storage = bucket.storage();
      await storage.put('a', 'a');
      await expect(storage.verify()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: `The clock of this machine is 60 minutes ${where} the server's: set it.`,
      });
    });
  });

  it.each([
    [301, 'PermanentRedirect', /^INVALID_CONFIGURATION: The bucket .* lies in another region/],
    [403, 'RequestTimeTooSkewed', /^INVALID_CONFIGURATION: The clock of this machine/],
    [403, 'AccessDenied', /^PERMISSION_DENIED: The server refuses this/],
    [503, 'SlowDown', /^CONNECTION_FAILED: The server failed/],
  ])('understands %i %s', async (status, code, message) => {
    const { storage, faults } = bucket.faulty();
    faults.plan = () => ({ kind: 'status', status, body: `<Error><Code>${code}</Code><Message>so</Message></Error>` });
    const error = await storage.verify().catch((reason: unknown) => reason as { code: string; message: string });
    expect(error === undefined ? '' : `${error.code}: ${error.message}`).toMatch(message);
  });

  it('says where the bucket lies, if the server does', async () => {
    const { storage, faults } = bucket.faulty();
    const headers = { 'x-amz-bucket-region': 'eu-north-1' };
    faults.plan = () => ({
      kind: 'status',
      status: 301,
      headers,
      body: '<Error><Code>PermanentRedirect</Code></Error>',
    });
    await expect(storage.verify()).rejects.toThrow(/lies in another region .*: set `region` to eu-north-1\.$/);
    await expect(storage.info('a')).rejects.toThrow(/lies in another region .*: set `region` to eu-north-1\.$/);
  });

  it('is not needed to tell a missing bucket from a missing object', async () => {
    const storage = bucket.storage({ bucket: 'there-is-none' });
    await expect(storage.exists('a')).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    await expect(storage.put('a', 'a')).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});
