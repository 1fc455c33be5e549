import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { S3Storage } from 'nestjs-storages/s3';
import { FaultProxy } from '../proxy/fault-proxy.js';
import type { S3Server } from '../server/s3-server.js';

const MIB = 1024 * 1024;
export const PART = 5 * MIB;

/** Milliseconds, short enough to see them pass. */
export const TIMEOUTS = { connect: 3000, idle: 3000, request: 15_000 };
export const ATTEMPTS = 3;

const BYTES = randomBytes(2 * PART + 1000);

/** The first so many of the same random bytes. */
export function bytes(size: number): Buffer {
  return BYTES.subarray(0, size);
}

const md5 = (data: Buffer): Buffer => createHash('md5').update(data).digest();

const etags = new Map<string, string>();

function etagOf(size: number, isOnePart: boolean): string {
  const name = `${size} ${String(isOnePart)}`;
  const known = etags.get(name);
  if (known !== undefined) return known;
  if (isOnePart) {
    const etag = `"${md5(md5(bytes(size))).toString('hex')}-1"`;
    etags.set(name, etag);
    return etag;
  }
  const parts = Array.from({ length: Math.ceil(size / PART) }, (_, n) =>
    md5(bytes(size).subarray(n * PART, (n + 1) * PART)),
  );
  const [only = Buffer.alloc(0)] = parts;
  const isWhole = parts.length === 1;
  const etag = isWhole ? `"${only.toString('hex')}"` : `"${md5(Buffer.concat(parts)).toString('hex')}-${parts.length}"`;
  etags.set(name, etag);
  return etag;
}

/** A source that can be read once, in chunks as a socket gives them. @param failure what it fails with in the place of an end */
export function source(size: number, failure?: Error): Readable {
  let from = 0;
  return new Readable({
    read() {
      const chunk = bytes(size).subarray(from, from + 65_536);
      from += chunk.length;
      if (chunk.length > 0) this.push(chunk);
      else if (failure === undefined) this.push(null);
      else this.destroy(failure);
    },
  });
}

/** A storage behind a proxy of its own, under a prefix of its own, and a look past the proxy at what is really there. */
export class Place {
  readonly proxy: FaultProxy;
  readonly storage: S3Storage;
  readonly #server: S3Server;
  readonly #bucket: string;
  readonly #prefix: string;

  private constructor(server: S3Server, bucket: string, prefix: string, proxy: FaultProxy) {
    this.#server = server;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.proxy = proxy;
    this.storage = new S3Storage({
      ...server.connection,
      endpoint: proxy.url,
      bucket,
      prefix,
      partSize: PART,
      maxAttempts: ATTEMPTS,
      timeouts: TIMEOUTS,
      // that Ceph 16 decides no condition on a completion is nothing to these: no object is ever there before
      conditions: { createOnly: true, multipart: true, compareAndSwap: false },
    });
  }

  static async open(server: S3Server, bucket: string, prefix: string = randomUUID()): Promise<Place> {
    const place = new Place(server, bucket, prefix, await FaultProxy.start(server.connection.endpoint));
    await place.storage.open();
    return place;
  }

  /** Makes an object, past the proxy. */
  async give(key: string, size: number): Promise<void> {
    const object = { Bucket: this.#bucket, Key: `${this.#prefix}/${key}`, ContentType: 'text/plain' };
    await this.#server.client.send(new PutObjectCommand({ ...object, Body: bytes(size) }));
  }

  /** The names of all objects that are there. */
  async keys(): Promise<string[]> {
    const { Contents = [] } = await this.#server.client.send(
      new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: `${this.#prefix}/` }),
    );
    return Contents.map(({ Key = '' }) => Key.slice(this.#prefix.length + 1));
  }

  /**
   * Whether the object is whole, by what the server has made of the bytes: their MD5, or the MD5 of those of the parts.
   *
   * @param isOnePart whether all of it was one part of an upload
   */
  async isWhole(key: string, size: number, isOnePart = false): Promise<boolean> {
    const object = { Bucket: this.#bucket, Key: `${this.#prefix}/${key}` };
    const { ETag, ContentLength } = await this.#server.client.send(new HeadObjectCommand(object));
    return ContentLength === size && ETag === etagOf(size, isOnePart);
  }

  openUploads(): Promise<string[]> {
    return this.#server.openUploads(this.#bucket, `${this.#prefix}/`);
  }

  async leave(): Promise<void> {
    await this.storage.close();
    await this.proxy.stop();
  }
}
