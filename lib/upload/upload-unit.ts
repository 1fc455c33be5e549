import { setMaxListeners } from 'node:events';
import { Logger } from '@nestjs/common';
import { FileNotFoundError, freshKey, PreconditionFailedError } from '../contract/index.js';
import { tryAgainLater } from './failed-removals.js';
import type { CommitMoment } from './upload-options.js';
import type { StagedFile, StageOptions, Storage, StorageData, StoredFile } from '../contract/index.js';

const logger = new Logger('StorageUpload');

/** How many files under fresh keys are committed at once: they share the flush of a folder, and no trip to the disk waits for the one before. */
const COMMITS_AT_ONCE = 16;

/** What a file of a unit is staged with. */
export interface StageRequest {
  readonly storage: Storage;
  /** The registered name, for logs. */
  readonly storageName: string;
  readonly key: string;
  readonly data: StorageData;
  readonly options: Omit<StageOptions, 'signal'>;
  /** The place of the file in the request: files are committed as they came, however long each was staged. */
  readonly order: number;
  /** Whether the commit may replace a file: such commits come last, since nothing brings the old file back. */
  readonly replaces: boolean;
}

/** One file of a unit. */
export interface UnitFile {
  readonly staged: StagedFile;
  /** Set by the commit. */
  readonly stored: StoredFile | undefined;
}

interface Entry extends UnitFile {
  /** Without the data: what is staged need not be in memory any more. */
  readonly request: Pick<StageRequest, 'storage' | 'storageName' | 'order' | 'replaces'> & {
    /** Nobody else has the key: it matters to no one when the file is committed. */
    readonly fresh: boolean;
  };
  stored: StoredFile | undefined;
  /** Whether there was a file at its commit that the commit has replaced. */
  replaced: boolean;
}

/**
 * The files of one request, in one storage or several, that become visible together or leave nothing: staged while they arrive, then
 * committed, then kept or rolled back. Several commits are not one step: if a later one fails those before it are taken back,
 * and a process that is killed between two leaves whole files, never parts of one.
 */
export class UploadUnit {
  readonly #abort = new AbortController();
  readonly #entries: Entry[] = [];
  readonly #staging = new Set<Promise<unknown>>();
  #committing: Promise<void> | undefined;
  #rollback: Promise<void> | undefined;
  #kept = false;
  #moment: CommitMoment = 'beforeHandler';

  constructor() {
    // a listener for each file of the request is no leak
    setMaxListeners(0, this.#abort.signal);
  }

  /** Fires when the unit is rolled back. Everything that works for it stops then. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Takes the bytes of one file. @throws what the storage throws, and an `AbortError` once the unit is rolled back */
  async stage(request: StageRequest): Promise<UnitFile> {
    const staging = this.#stage(request);
    this.#staging.add(staging);
    try {
      return await staging;
    } finally {
      this.#staging.delete(staging);
    }
  }

  async #stage(request: StageRequest): Promise<UnitFile> {
    const { storage, storageName, order, replaces, key, data, options } = request;
    this.signal.throwIfAborted();
    const staged = await storage.stage(key, data, { ...options, signal: this.signal });
    const fresh = options[freshKey] === true;
    const entry: Entry = {
      request: { storage, storageName, order, replaces, fresh },
      staged,
      stored: undefined,
      replaced: false,
    };
    this.#entries.push(entry);
    return entry;
  }

  /**
   * Makes all files visible: those under fresh keys several at once, then other creations and replacements, each in the order of the
   * request. A commit that fails is rolled back by the caller, as any failure is.
   *
   * @param moment After the handler a replacement stays, whatever fails then: nothing brings the old file back, and a whole new one that
   * the handler knows of is better than none.
   */
  commit(moment: CommitMoment): Promise<void> {
    this.#moment = moment;
    this.#committing ??= this.#commit();
    return this.#committing;
  }

  async #commit(): Promise<void> {
    const left = this.#entries.filter(({ request }) => request.fresh).values();
    const lanes = Array.from({ length: COMMITS_AT_ONCE }, () => this.#commitEach(left));
    // all of them, also when one fails: what is still being committed could not be taken back
    const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await this.#commitEach(
      this.#entries
        .filter(({ request }) => !request.fresh)
        .sort(({ request: a }, { request: b }) => Number(a.replaces) - Number(b.replaces) || a.order - b.order)
        .values(),
    );
  }

  async #commitEach(entries: Iterable<Entry>): Promise<void> {
    for (const entry of entries) {
      this.signal.throwIfAborted();
      const { staged, request } = entry;
      // what it replaces cannot be brought back, and what it creates can be taken back
      entry.replaced = request.replaces && (await request.storage.exists(staged.key));
      entry.stored = await staged.commit();
    }
  }

  /** The request has succeeded: from now on nothing is taken back. */
  keep(): void {
    this.#kept = true;
  }

  /**
   * Leaves nothing of the unit: stops what is being staged, aborts what is staged, removes exactly the versions that were committed. Does
   * nothing once the unit is kept. Resolves when it is done; what could not be removed is logged with its key.
   */
  rollBack(reason: unknown): Promise<void> {
    if (this.#kept) return Promise.resolve();
    this.#rollback ??= this.#rollBack(reason);
    return this.#rollback;
  }

  async #rollBack(reason: unknown): Promise<void> {
    this.#abort.abort(reason);
    // each failure here has been told where it happened; entries are added by those that still succeed
    await Promise.allSettled([...this.#staging, this.#committing]);
    await Promise.all(this.#entries.map((entry) => this.#discard(entry)));
  }

  async #discard({ request, staged, stored, replaced }: Entry): Promise<void> {
    const { storage, storageName } = request;
    const file = `file ${JSON.stringify(staged.key)} in the storage ${JSON.stringify(storageName)}`;
    if (stored !== undefined && replaced && this.#moment === 'afterHandler') {
      logger.error(`The ${file} was replaced by an upload that failed afterwards; the new version stays.`);
      return;
    }
    const remove = (): Promise<void> => (stored === undefined ? staged.abort() : removeVersion(storage, stored));
    try {
      await remove();
    } catch (error) {
      logger.error(
        `The ${stored === undefined ? 'staged' : 'committed'} ${file} of a failed upload could not be removed; it will be tried again.`,
        error instanceof Error ? error.stack : error,
      );
      // what was staged and stays is swept by the storage when this process is gone
      tryAgainLater(file, stored === undefined ? remove : () => removeVersion(storage, stored));
    }
  }
}

/** Removes a version that this process has just committed, and none that has replaced it since. */
async function removeVersion(storage: Storage, { key, etag }: StoredFile): Promise<void> {
  try {
    if (storage.capabilities.compareAndSwap) {
      await storage.delete(key, { ifMatch: etag, force: true });
    } else if ((await storage.info(key)).etag === etag) {
      // not one step, and the best there is without a condition
      await storage.delete(key, { force: true });
    }
  } catch (error) {
    if (error instanceof PreconditionFailedError || error instanceof FileNotFoundError) return;
    throw error;
  }
}
