import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { S3StorageConfig } from 'nestjs-storages/s3';

const KIB = 1024;
export const MIB = 1024 * KIB;
const PIECE = randomBytes(64 * KIB);
export const PART = 8 * MIB;
export const CONCURRENCY = 4;
export const LARGE = 256 * MIB;
export const SMALL = randomBytes(10 * KIB);

export interface Connection {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: boolean;
}

export function connectionTo(port: number): Connection {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'sink', secretAccessKey: 'sink' },
    forcePathStyle: true,
  };
}

export function largeSettings(port: number, integrity: 'crc32' | 'none'): S3StorageConfig {
  const conditions = { createOnly: false, multipart: false, compareAndSwap: false };
  const storage = { conditions, bucket: 'bench', partSize: PART, concurrency: CONCURRENCY, integrity };
  return { ...connectionTo(port), ...storage };
}

/** A stream of unknown length, in pieces as a socket gives them. */
export function stream(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: 64 * KIB,
    read() {
      const piece = Buffer.allocUnsafeSlow(Math.min(left, PIECE.length));
      piece.set(PIECE.subarray(0, piece.length));
      left -= piece.length;
      this.push(piece.length > 0 ? piece : null);
    },
  });
}
