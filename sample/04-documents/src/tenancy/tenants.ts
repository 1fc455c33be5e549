import { createHash } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../settings/settings.js';
import type { Tenant } from './tenant.js';
import { readTenantsFile } from './tenants-file.js';

/** Who there is. A larger application asks its database here. */
@Injectable()
export class Tenants implements OnModuleInit {
  readonly #byDigest = new Map<string, Tenant>();

  constructor(private readonly settings: Settings) {}

  async onModuleInit(): Promise<void> {
    for (const [id, { keys, fileBytes, totalBytes }] of await readTenantsFile(this.settings.tenantsFile)) {
      const tenant = Object.freeze({ id, fileBytes, totalBytes });
      for (const digest of keys) {
        const other = this.#byDigest.get(digest);
        if (other !== undefined) throw new Error(`${this.settings.tenantsFile}: ${other.id} and ${id} have one key.`);
        this.#byDigest.set(digest, tenant);
      }
    }
  }

  /**
   * By the digest of the key: how long the search takes says something of a digest, of which nobody can choose the beginning, and nothing of a
   * key. Keys are long and random, so that a digest needs no salt and no slow hash.
   */
  findByKey(key: string): Tenant | undefined {
    return this.#byDigest.get(createHash('sha256').update(key).digest('hex'));
  }
}
