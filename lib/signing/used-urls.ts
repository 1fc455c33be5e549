import { FileExistsError, type Storage } from '../contract/index.js';
import { changeHold, ChangeHold } from '../contract/options/change-hold.js';
import { StorageLogger } from '../logging/index.js';
import type { SignedRequest } from './signed-request.js';

const HOUR = 3600;

/** Notes of the library's own are no files of the application's. */
const UNHEARD = ChangeHold.silent();

type OneTimeRequest = Pick<SignedRequest, 'expires'> & { readonly once: string };

/**
 * One-time URLs that were used: for each an empty object, created only, under the hour in which it expires. So exactly one request wins, whichever process it
 * reaches, and hours that are over are removed as a whole.
 */
export class UsedUrls {
  readonly #logger = new StorageLogger('StorageSignedUrls');
  readonly #storage: () => Storage;
  readonly #prefix: string;
  #sweptHour = 0;

  /** @param storage found when it is needed: it is registered by then */
  constructor(storage: () => Storage, prefix: string) {
    this.#storage = storage;
    this.#prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  }

  /** @returns whether this is the first use */
  async use(request: OneTimeRequest): Promise<boolean> {
    try {
      await this.#storage().put(this.#keyOf(request), '', { ifNoneMatch: '*', [changeHold]: UNHEARD });
    } catch (error) {
      if (error instanceof FileExistsError) return false;
      throw error;
    }
    this.#sweep();
    return true;
  }

  wasUsed(request: OneTimeRequest): Promise<boolean> {
    return this.#storage().exists(this.#keyOf(request));
  }

  /** Once an hour, beside the answer that it was thought of at. */
  #sweep(): void {
    const hour = Math.floor(Date.now() / 1000 / HOUR);
    if (this.#sweptHour === hour) return;
    this.#sweptHour = hour;
    this.#removeBefore(hour).catch((error: unknown) => {
      this.#logger.warn('Notes of used URLs that have expired could not be removed; it will be tried again.', {
        failure: error,
      });
    });
  }

  async #removeBefore(hour: number): Promise<void> {
    const storage = this.#storage();
    for await (const entry of storage.listEntries(this.#prefix)) {
      if (entry.kind !== 'prefix') continue;
      const name = entry.prefix.slice(this.#prefix.length, -1);
      // whatever else lies there is not of this making
      if (!/^\d+$/.test(name) || Number(name) >= hour) continue;
      await storage.deletePrefix(entry.prefix, { [changeHold]: UNHEARD });
    }
  }

  #keyOf({ expires, once }: OneTimeRequest): string {
    return `${this.#prefix}${Math.floor(expires / HOUR)}/${once}`;
  }
}
