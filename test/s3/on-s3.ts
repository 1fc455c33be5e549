import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { S3StorageConfig } from 'nestjs-storages/s3';
import { S3Storage } from 'nestjs-storages/s3';
import { FaultyClient } from './faulty-client.js';
import { s3Server, type S3Server } from './server/s3-server.js';

export const MIB = 1024 * 1024;
/** The smallest part that S3 allows. */
export const PART = 5 * MIB;

/** What the server behind these tests decides, so that none of them has to ask it. */
export const CEPH_CONDITIONS = { createOnly: true, multipart: false, compareAndSwap: false } as const;

/** A bucket of one test file. */
export class TestBucket {
  readonly server: S3Server;
  name = '';
  readonly #storages: S3Storage[] = [];

  constructor(server: S3Server) {
    this.server = server;
  }

  storage(config: Partial<S3StorageConfig> = {}): S3Storage {
    const connection = config.client === undefined ? this.server.connection : {};
    const storage = new S3Storage({
      ...connection,
      bucket: this.name,
      partSize: PART,
      conditions: CEPH_CONDITIONS,
      ...config,
    });
    this.#storages.push(storage);
    return storage;
  }

  /** A storage whose requests can be counted and spoilt. */
  faulty(config: Partial<S3StorageConfig> = {}): { readonly storage: S3Storage; readonly faults: FaultyClient } {
    const faults = new FaultyClient(this.server.connection, { maxAttempts: 3 });
    return { storage: this.storage({ ...config, client: faults.client }), faults };
  }

  openUploads(): Promise<string[]> {
    return this.server.openUploads(this.name);
  }

  async close(): Promise<void> {
    for (const storage of this.#storages) await storage.close();
    await this.server.removeBucket(this.name);
  }
}

/** Tests that need a real server, with a bucket of their own. */
export async function onS3(name: string, tests: (bucket: TestBucket) => void): Promise<void> {
  const server = await s3Server(name);
  if (server === undefined) {
    it(`${name}: not run without a server`, () => undefined);
    return;
  }
  const bucket = new TestBucket(server);
  describe(name, () => {
    beforeAll(async () => {
      bucket.name = await server.makeBucket();
    });
    afterAll(() => bucket.close());
    tests(bucket);
  });
}

/** Runs with the clock of this process off by so many milliseconds; timers go on as they do. */
export async function withClock(offset: number, work: () => Promise<void>): Promise<void> {
  const real = globalThis.Date;
  class OtherDate extends real {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [OtherDate.now()] : given) as [number]));
    }

    static override now(): number {
      return real.now() + offset;
    }
  }
  globalThis.Date = OtherDate as DateConstructor;
  try {
    await work();
  } finally {
    globalThis.Date = real;
  }
}

/** A body in chunks, that may end with a failure. */
export async function* chunks(size: number, chunk = 64 * 1024, failure?: Error): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += chunk) {
    // each its own bytes, so that parts in the wrong order show
    yield Buffer.alloc(Math.min(chunk, size - at), (at / chunk) % 251);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (failure !== undefined) throw failure;
}

export async function bytesOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of source) all.push(chunk);
  return Buffer.concat(all);
}
