import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Checkpoints } from './checkpoints.js';

/** What is kept free for deleting: a few pages of the log. */
const RESERVE_BYTES = 1024 * 1024;

/**
 * Keeps a disk from being filled to its last byte. What is committed lies in the log first and then once more in the file; and deleting
 * writes too. A database that has taken the last byte can do neither, and never becomes smaller again.
 */
export class DiskRoom {
  readonly #folder: string | undefined;
  readonly #checkpoints: Checkpoints;

  constructor(filename: string, checkpoints: Checkpoints) {
    this.#folder = filename === ':memory:' ? undefined : dirname(filename);
    this.#checkpoints = checkpoints;
  }

  /** Whether so many bytes may be written. */
  has(bytes: number): boolean {
    if (bytes === 0 || this.#folder === undefined || this.#isEnough(this.#folder, bytes)) return true;
    this.#checkpoints.truncate();
    return this.#isEnough(this.#folder, bytes);
  }

  #isEnough(folder: string, bytes: number): boolean {
    const room = roomOf(folder);
    return room === undefined || room >= this.#checkpoints.logBytes + 2 * bytes + RESERVE_BYTES;
  }
}

/** There are file systems that do not say, and those that fail to: then SQLite finds out by itself. */
function roomOf(folder: string): number | undefined {
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}
