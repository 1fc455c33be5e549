import { describe, expect, it } from '@jest/globals';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Storage, type S3StorageConfig } from 'nestjs-storages/s3';
import { partSizeOf } from '../../lib/backends/s3/part-sizes.js';
import { MIB } from './on-s3.js';

describe('The settings of S3Storage', () => {
  it.each<[object, string]>([
    [{}, 'bucket'],
    [{ bucket: 'a/b' }, 'bucket'],
    [{ bucket: 'b', buckets: 'c' }, 'buckets'],
    [{ bucket: 'b', prefix: '' }, 'prefix'],
    [{ bucket: 'b', prefix: '..' }, 'prefix'],
    [{ bucket: 'b', endpoint: 'localhost:9000' }, 'endpoint'],
    [{ bucket: 'b', baseUrl: 'file:///x' }, 'baseUrl'],
    [{ bucket: 'b', partSize: 5 * MIB - 1 }, 'partSize'],
    [{ bucket: 'b', maxBufferedBytes: 15 * MIB }, 'maxBufferedBytes'],
    [{ bucket: 'b', concurrency: 0 }, 'concurrency'],
    [{ bucket: 'b', timeouts: { idle: 0 } }, 'idle'],
    [{ bucket: 'b', timeouts: { whole: 1 } }, 'whole'],
    [{ bucket: 'b', conditions: { createOnly: true } }, 'conditions'],
    [{ bucket: 'b', integrity: 'sha256' }, 'integrity'],
    [{ bucket: 'b', urlExpiresIn: '8d' }, 'urlExpiresIn'],
    [{ bucket: 'b', tags: { a: 1 } }, 'tags'],
    [{ bucket: 'b', client: {} }, 'client'],
    [{ bucket: 'b', client: new S3Client({ region: 'eu-central-1' }), region: 'eu-central-1' }, 'region'],
  ])('%j are refused by the name of the field', (config, field) => {
    let said: unknown;
    try {
      new S3Storage(config as S3StorageConfig);
    } catch (error) {
      said = error;
    }
    expect(said).toMatchObject({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(field) as unknown });
  });

  it('show no credential', () => {
    const storage = new S3Storage({ bucket: 'b', credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' } });
    expect(`${String(storage)} ${JSON.stringify(storage)}`).not.toMatch(/secret|AKIA/);
  });
});

describe('The parts of an upload', () => {
  it.each([5, 6, 8, 100, 5120])(
    'reach 5 TiB in 10,000 parts when nobody knows the length, and stay as they are set for the first 2,000 (%i MiB)',
    (mib) => {
      let reached = 0;
      for (let number = 1; number <= 10_000; number++) reached += partSizeOf(number, mib * MIB, undefined);
      expect(reached).toBeGreaterThanOrEqual(5 * 1024 ** 4);
      expect(partSizeOf(2000, mib * MIB, undefined)).toBe(mib * MIB);
      expect(partSizeOf(10_000, mib * MIB, undefined)).toBeLessThanOrEqual(5120 * MIB);
    },
  );

  it('are of one size where the length is known, and no more than 10,000', () => {
    expect(partSizeOf(1, 8 * MIB, 1024 ** 3)).toBe(8 * MIB);
    const largest = 5 * 1024 ** 4;
    expect(Math.ceil(largest / partSizeOf(1, 8 * MIB, largest))).toBeLessThanOrEqual(10_000);
  });
});
