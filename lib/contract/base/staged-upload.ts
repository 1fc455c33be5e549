import type { StorageError, StorageOperation } from '../errors/index.js';
import { InvalidArgumentError, StorageClosedError } from '../errors/index.js';
import { changeHold, type ChangeHold } from '../options/change-hold.js';
import type { FileAttributes, StagedFile, StoredFile } from '../stored-file.js';
import type { Lifecycle, Releasable } from './lifecycle.js';
import { traced } from './operation-channel.js';
import { committed, telling } from './storage-changes.js';

/** What `_stage` resolves to: the bytes are safe, and nobody sees them. */
export interface StagedBytes {
  /** How many bytes were taken. */
  readonly size: number;
  /** Decides the conditions and makes the object visible. Called at most once. */
  commit(): Promise<StoredFile>;
  /** Removes every trace, also after a commit that failed. Called again only after it has failed. */
  abort(): Promise<void>;
}

/** The `StagedFile` that callers get: whoever forgets it loses nothing but room, and only until the storage closes. */
export class StagedUpload implements StagedFile {
  readonly key: string;
  readonly size: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  declare readonly cacheControl?: string;
  declare readonly contentDisposition?: string;
  declare readonly contentEncoding?: string;
  readonly #storage: { readonly name: string };
  readonly #hold: ChangeHold | undefined;
  readonly #bytes: StagedBytes;
  readonly #lifecycle: Lifecycle;
  readonly #held: Releasable = { release: () => this.#discard() };
  readonly #wrap: (error: unknown, operation: StorageOperation) => StorageError;
  #state: 'staged' | 'committing' | 'settled' = 'staged';
  #aborting: Promise<void> | undefined;
  /** The last try to remove it. */
  #failed = false;

  /** @param storage names it to those who listen */
  constructor(
    storage: { readonly name: string },
    key: string,
    attributes: FileAttributes & { readonly [changeHold]?: ChangeHold },
    bytes: StagedBytes,
    lifecycle: Lifecycle,
    wrap: (error: unknown, operation: StorageOperation) => StorageError,
  ) {
    this.#storage = storage;
    this.key = key;
    this.size = bytes.size;
    this.contentType = attributes.contentType;
    this.metadata = attributes.metadata;
    if (attributes.cacheControl !== undefined) this.cacheControl = attributes.cacheControl;
    if (attributes.contentDisposition !== undefined) this.contentDisposition = attributes.contentDisposition;
    if (attributes.contentEncoding !== undefined) this.contentEncoding = attributes.contentEncoding;
    this.#hold = attributes[changeHold];
    this.#bytes = bytes;
    this.#lifecycle = lifecycle;
    this.#wrap = wrap;
    lifecycle.hold(this.#held);
  }

  commit(): Promise<StoredFile> {
    return traced(this.#storage, 'commit', this.key, () => this.#commitOnce());
  }

  async #commitOnce(): Promise<StoredFile> {
    try {
      return await this.#lifecycle.run(() => this.#commit());
    } catch (error) {
      throw this.#wrap(error, 'commit');
    }
  }

  async #commit(): Promise<StoredFile> {
    if (this.#state !== 'staged') {
      throw new InvalidArgumentError('A staged file may be committed once; this one was committed or aborted before.');
    }
    this.#state = 'committing';
    try {
      const file = await telling(this.#storage, this.#bytes.commit(), committed, this.#hold);
      this.#settle();
      return file;
    } catch (error) {
      // why the commit failed is what its caller asks for; an abort after it tells what could not be removed
      await this.#discard().catch(() => undefined);
      throw error;
    }
  }

  abort(): Promise<void> {
    // what is over has nothing to tell, as when `await using` leaves a file that was committed
    if (this.#state === 'settled' && this.#aborting === undefined && !this.#failed) return Promise.resolve();
    return traced(this.#storage, 'abort', this.key, () => this.#abort());
  }

  async #abort(): Promise<void> {
    if (this.#state === 'committing') {
      throw this.#wrap(
        new InvalidArgumentError('A staged file cannot be aborted while it is being committed.'),
        'abort',
      );
    }
    try {
      // close() aborts what is left by itself: a call that comes after it is already done
      if (this.#lifecycle.closed) await this.#discard();
      else await this.#lifecycle.run(() => this.#discard());
    } catch (error) {
      if (error instanceof StorageClosedError) return;
      throw this.#wrap(error, 'abort');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  #discard(): Promise<void> {
    this.#settle();
    this.#aborting ??= this.#abortBytes();
    return this.#aborting;
  }

  async #abortBytes(): Promise<void> {
    try {
      await this.#bytes.abort();
    } catch (error) {
      // whoever asks again may find that it can be removed by now
      this.#aborting = undefined;
      this.#failed = true;
      throw error;
    }
    this.#failed = false;
  }

  #settle(): void {
    this.#state = 'settled';
    this.#lifecycle.drop(this.#held);
  }
}
