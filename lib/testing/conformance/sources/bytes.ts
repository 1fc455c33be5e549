import { createCipheriv, createHash } from 'node:crypto';

/**
 * Bytes that look random and are the same for the same seed, so that a piece in the wrong place is noticed. A key stream of AES makes
 * a gigabyte of them in a second.
 */
export function bytesOf(size: number, seed = 1): Buffer {
  const key = createHash('md5').update(`${seed}`).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Cuts bytes into chunks of one size. */
export function* chunksOf(bytes: Uint8Array, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(size, bytes.byteLength - at));
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
