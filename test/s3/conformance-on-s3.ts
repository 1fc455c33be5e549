import { afterAll, describe, it } from '@jest/globals';
import { defineCapabilities } from 'nestjs-storages';
import { S3Storage, type S3StorageConfig } from 'nestjs-storages/s3';
import {
  storageConformance,
  type ConformanceLimits,
  type CreateOptions,
  type OpenedStorage,
} from 'nestjs-storages/testing';
import { kindOfServer, s3Server, type Connection, type S3Server } from './server/s3-server.js';

interface OpenedBucket extends OpenedStorage {
  readonly bucket: string;
  readonly options: CreateOptions;
}

const MIB = 1024 * 1024;
const TIB = 1024 ** 4;

const places = new WeakMap<object, { readonly bucket: string; readonly prefix: string | undefined }>();

/** The whole suite on one way to use a bucket, each check that wants a storage of its own in a bucket of its own. */
export async function conformanceOnS3(
  name: string,
  configOf: (connection: Connection) => Omit<S3StorageConfig, 'bucket'>,
  limits: Partial<ConformanceLimits> = {},
): Promise<void> {
  const server = await s3Server('The conformance suite of S3Storage');
  if (server === undefined) it('is not run without a server', () => undefined);
  else runOn(server, name, { ...configOf(server.connection), ...kindOfServer().settings, partSize: 5 * MIB }, limits);
}

function runOn(
  server: S3Server,
  name: string,
  config: Omit<S3StorageConfig, 'bucket'>,
  limits: Partial<ConformanceLimits>,
): void {
  // found out by the storage's own probe
  const { createOnly, compareAndSwap, multipart } = kindOfServer().conditions;
  const open = async (bucket: string, options: CreateOptions): Promise<OpenedBucket> => {
    const storage = new S3Storage({ ...config, ...options, bucket });
    places.set(storage, { bucket, prefix: config.prefix });
    await storage.open();
    const close = async (): Promise<void> => {
      await storage.close();
      await server.removeBucket(bucket);
    };
    return { storage, bucket, options, close };
  };
  storageConformance({
    name,
    create: async (options = {}) => open(await server.makeBucket(), options),
    reopen: async ({ storage, bucket, options }) => {
      await storage.close();
      return open(bucket, options);
    },
    capabilities: defineCapabilities({
      urls: 'signed',
      uploadUrls: true,
      stage: 'native',
      createOnly,
      compareAndSwap,
      conditionalCopy: createOnly,
      lastModified: 'seconds',
      listsAttributes: false,
      persistent: true,
      maxKeyBytes: 1024 - Buffer.byteLength(config.prefix === undefined ? '' : `${config.prefix}/`),
      maxSize: 5 * TIB,
      maxConditionalSize: multipart ? 5 * TIB : 5 * MIB,
    }),
    leftovers: (storage) => {
      const { bucket, prefix } = places.get(storage) ?? { bucket: '', prefix: undefined };
      return server.openUploads(bucket, prefix);
    },
    limits: {
      borderSizes: [65_536, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB],
      largeObject: 8 * MIB,
      // three pages
      manyKeys: 2100,
      timeout: 60_000,
      ...limits,
    },
    secrets: [server.connection.credentials.secretAccessKey],
    runner: { describe, it, afterAll },
  });
}
