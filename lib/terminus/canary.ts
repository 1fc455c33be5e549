import { randomBytes, randomUUID } from 'node:crypto';
import { IntegrityError, UnsupportedOperationError, type Storage, type StoredFile } from '../contract/index.js';
import { changeHold, ChangeHold } from '../contract/options/change-hold.js';
import { STALE_MS } from './storage-health-options.js';

const NAME = /^canary-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BYTES = 64;

/** How long it may take to take a canary away that a check could not, in milliseconds. */
const REMOVAL_MS = 30_000;

/** How many objects under the prefix one sweep looks at. */
const SWEPT = 1000;

/** A canary is no file of the application's: nobody who listens to changes hears of it. */
const UNHEARD = { [changeHold]: ChangeHold.silent() };

/** A key that nobody has, whichever process asks: a random UUID. */
export function canaryKey(prefix: string): string {
  return `${prefix}canary-${randomUUID()}`;
}

/**
 * One object that lives as long as a check.
 *
 * Its bytes are random too: a cache between that answers with older ones is found.
 */
export class Canary {
  readonly key: string;
  readonly #storage: Storage;
  readonly #bytes = randomBytes(BYTES);
  #written: Promise<unknown> | undefined;
  #gone = false;

  constructor(storage: Storage, prefix: string) {
    this.#storage = storage;
    this.key = canaryKey(prefix);
  }

  /** @throws StorageError; `IntegrityError` when other bytes come back than were stored */
  async check(signal: AbortSignal): Promise<StoredFile> {
    const storage = this.#storage;
    const put = storage.put(this.key, this.#bytes, { contentType: 'application/octet-stream', signal, ...UNHEARD });
    this.#written = put.catch((error: unknown) => {
      // refused before anything was done: there is nothing to take away, and no way to
      this.#gone = error instanceof UnsupportedOperationError;
    });
    const file = await put;
    const read = await storage.getBytes(this.key, { signal });
    if (!read.equals(this.#bytes)) {
      throw new IntegrityError('A canary was stored, and other bytes were read back.', { key: this.key });
    }
    await storage.delete(this.key, { force: true, signal, ...UNHEARD });
    this.#gone = true;
    return file;
  }

  /**
   * Takes away what a check that has failed or was given up may have left: after its write has settled, also where that took no heed of its
   * signal. What cannot be taken away now is a leftover, which {@link sweepCanaries} finds.
   */
  async remove(): Promise<void> {
    await this.#written;
    if (this.#gone || this.#written === undefined) return;
    const signal = AbortSignal.timeout(REMOVAL_MS);
    await this.#storage.delete(this.key, { force: true, signal, ...UNHEARD }).catch(() => undefined);
  }
}

/**
 * Removes canaries of processes that were killed in the middle of a check: by their names, and by their age beside an object of now, so that
 * the storage's own clock tells it.
 */
export async function sweepCanaries(
  storage: Storage,
  prefix: string,
  now: Pick<StoredFile, 'lastModified'>,
  signal: AbortSignal,
): Promise<void> {
  const oldest = now.lastModified.getTime() - STALE_MS;
  for await (const { key, lastModified } of storage.list(prefix, { limit: SWEPT, signal })) {
    if (lastModified.getTime() < oldest && NAME.test(key.slice(prefix.length))) {
      await storage.delete(key, { force: true, signal, ...UNHEARD });
    }
  }
}
