import { createHash } from 'node:crypto';
import { Random } from './random.js';

/** Bytes that look random and are the same for the same seed, so that a piece in the wrong place is noticed. */
export function bytesOf(size: number, seed = 1): Buffer {
  const random = new Random(seed);
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.next() * 4_294_967_296;
  return Buffer.from(words.buffer, 0, size);
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
