import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Checksum } from '../../contract/index.js';

/** A checksum of bytes as they pass. */
export class Digest {
  readonly algorithm: keyof Checksum;
  readonly #hash: Hash | undefined;
  #crc = 0;
  #value: string | undefined;

  constructor(algorithm: keyof Checksum) {
    this.algorithm = algorithm;
    this.#hash = algorithm === 'crc32' ? undefined : createHash(algorithm);
  }

  add(bytes: Buffer): void {
    if (this.#hash === undefined) this.#crc = crc32(bytes, this.#crc);
    else this.#hash.update(bytes);
  }

  /** May be called once. */
  end(): void {
    this.#value = this.#hash?.digest('hex') ?? this.#crc.toString(16).padStart(8, '0');
  }

  /** Of all bytes, in lower-case hex, once they have ended. */
  get checksum(): Checksum | undefined {
    return this.#value === undefined ? undefined : { [this.algorithm]: this.#value };
  }
}
