import { createHash } from 'node:crypto';
import type { Storage } from '../../../lib/contract/index.js';

/** The bytes of a key, which says how many there are: `lane/number-size`. */
export function bodyOf(key: string): Buffer {
  const [, size = '0'] = /-(\d+)$/.exec(key) ?? [];
  return Buffer.alloc(Number(size), createHash('sha512').update(key).digest());
}

/** What a process has said that puts objects: which puts it began, and how they ended. */
export class Testimony {
  readonly stored = new Set<string>();
  readonly failed = new Map<string, string>();
  /** Begun, and neither stored nor failed. */
  readonly underWay = new Set<string>();

  hear(line: string): void {
    const [word, key = '', code = ''] = line.split(' ');
    if (word === 'begin') {
      this.underWay.add(key);
      return;
    }
    this.underWay.delete(key);
    if (word === 'stored') this.stored.add(key);
    if (word === 'failed') this.failed.set(key, code);
  }

  /** What is not as it was told: an object that is gone or not whole, or that nobody has begun. */
  async violations(storage: Storage): Promise<string[]> {
    const found: string[] = [];
    const there = new Set<string>();
    for await (const { key } of storage.list()) {
      there.add(key);
      if (!this.stored.has(key) && !this.underWay.has(key) && !this.failed.has(key)) found.push(`${key} was never put`);
      // one that was under way may be there, and is whole then
      if (!(await storage.getBytes(key)).equals(bodyOf(key))) found.push(`${key} is not whole`);
    }
    for (const key of this.stored) if (!there.has(key)) found.push(`${key} was acknowledged and is gone`);
    return found;
  }
}
