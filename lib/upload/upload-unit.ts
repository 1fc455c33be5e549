import { setMaxListeners } from 'node:events';
import { changesAreHeard } from '../contract/base/storage-changes.js';
import { freshKey } from '../contract/index.js';
import { changeHold, ChangeHold } from '../contract/options/change-hold.js';
import { StorageLogger } from '../logging/index.js';
import { fieldsOf, leftFile, tryAgainLater } from './failed-removals.js';
import { removeVersion } from './remove-version.js';
import type { CommitMoment } from './upload-options.js';
import type { StagedFile, StageOptions, Storage, StorageData, StoredFile } from '../contract/index.js';

const logger = new StorageLogger('StorageUpload');

/** How many files under fresh keys are committed at once: they share the flush of a folder, and no trip to the disk waits for the one before. */
const COMMITS_AT_ONCE = 16;

/** What a file of a unit is staged with. */
export interface StageRequest {
  readonly storage: Storage;
  /** The registered name, for logs. */
  readonly storageName: string;
  readonly key: string;
  readonly data: StorageData;
  /** Completed by the unit's signal. */
  readonly options: { -readonly [Name in keyof StageOptions]: StageOptions[Name] };
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
  /** What listeners are told of its commit when it is kept; undefined where nobody listens. */
  readonly hold: ChangeHold | undefined;
}

/**
 * The files of one request, in one storage or several, that become visible together or leave nothing: staged while they arrive, then
 * committed, then kept or rolled back. Several commits are not one step: if a later one fails those before it are taken back,
 * and a process that is killed between two leaves whole files, never parts of one.
 */
export class UploadUnit {
  readonly #entries: Entry[] = [];
  /** In the order of their commits. */
  readonly #committed: Entry[] = [];
  readonly #listeners = new Set<() => void>();
  #abort: AbortController | undefined;
  #rolledBack: { readonly reason: unknown } | undefined;
  #staging = 0;
  #onStaged: (() => void) | undefined;
  #committing: Promise<void> | undefined;
  #rollback: Promise<void> | undefined;
  readonly #failedCommits = new Map<unknown, UnitFile>();
  #kept = false;
  #moment: CommitMoment = 'beforeHandler';

  /** Fires when the unit is rolled back. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      // a listener for each file of the request is no leak
      setMaxListeners(0, this.#abort.signal);
      if (this.#rolledBack !== undefined) this.#abort.abort(this.#rolledBack.reason);
    }
    return this.#abort.signal;
  }

  /** Calls back when the unit is rolled back: everything that works for it stops then. A signal does the same, for ten times the price. */
  onRollBack(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offRollBack(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  get isRolledBack(): boolean {
    return this.#rolledBack !== undefined;
  }

  throwIfRolledBack(): void {
    if (this.#rolledBack !== undefined) throw this.#rolledBack.reason;
  }

  /** Takes the bytes of one file. @throws what the storage throws, and the reason once the unit is rolled back */
  async stage(request: StageRequest): Promise<UnitFile> {
    const { storage, storageName, order, replaces, key, data, options } = request;
    this.throwIfRolledBack();
    this.#staging++;
    try {
      options.signal = this.signal;
      const hold = changesAreHeard() ? new ChangeHold() : undefined;
      if (hold !== undefined) options[changeHold] = hold;
      const staged = await storage.stage(key, data, options);
      const fresh = options[freshKey] === true;
      const entry: Entry = {
        request: { storage, storageName, order, replaces, fresh },
        staged,
        stored: undefined,
        replaced: false,
        hold,
      };
      this.#entries.push(entry);
      return entry;
    } finally {
      if (--this.#staging === 0) this.#onStaged?.();
    }
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
    const fresh = this.#entries.filter(({ request }) => request.fresh);
    await this.#commitAtOnce(fresh);
    if (fresh.length === this.#entries.length) return;
    await this.#commitEach(
      this.#entries
        .filter(({ request }) => !request.fresh)
        .sort(({ request: a }, { request: b }) => Number(a.replaces) - Number(b.replaces) || a.order - b.order)
        .values(),
    );
  }

  async #commitAtOnce(entries: readonly Entry[]): Promise<void> {
    const left = entries.values();
    if (entries.length <= 1) return this.#commitEach(left);
    const lanes = Array.from({ length: Math.min(entries.length, COMMITS_AT_ONCE) }, () => this.#commitEach(left));
    // all of them, also when one fails: what is still being committed could not be taken back
    const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #commitEach(entries: Iterable<Entry>): Promise<void> {
    for (const entry of entries) {
      this.throwIfRolledBack();
      const { staged, request } = entry;
      // what it replaces cannot be brought back, and what it creates can be taken back
      entry.replaced = request.replaces && (await request.storage.exists(staged.key));
      try {
        entry.stored = await staged.commit();
        this.#committed.push(entry);
      } catch (error) {
        this.#failedCommits.set(error, entry);
        throw error;
      }
    }
  }

  /** The file whose commit has failed with this error, if it was one. */
  fileOf(failure: unknown): UnitFile | undefined {
    return this.#failedCommits.get(failure);
  }

  /** The request has succeeded: from now on nothing is taken back, and listeners hear of the files. */
  keep(): void {
    this.#kept = true;
    if (this.isRolledBack) return;
    for (const { hold } of this.#committed) hold?.tell();
  }

  /** Resolves when nothing is being taken back, at once where nothing was to be. */
  async whenEnded(): Promise<void> {
    await this.#rollback;
  }

  /**
   * Leaves nothing of the unit: stops what is being staged, aborts what is staged, removes exactly the versions that were committed. Does
   * nothing once the unit is kept. Resolves when it is done; what could not be removed is logged, its key at `debug`.
   */
  rollBack(reason: unknown): Promise<void> {
    if (this.#kept) return Promise.resolve();
    this.#rollback ??= this.#rollBack(reason);
    return this.#rollback;
  }

  async #rollBack(reason: unknown): Promise<void> {
    this.#rolledBack = { reason };
    this.#abort?.abort(reason);
    for (const listener of this.#listeners) listener();
    // each failure here has been told where it happened; entries are added by those that still succeed
    await this.#whenStaged();
    await this.#committing?.catch(() => undefined);
    await Promise.all(this.#entries.map((entry) => this.#discard(entry)));
  }

  #whenStaged(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#staging === 0) resolve();
      else this.#onStaged = resolve;
    });
  }

  async #discard({ request, staged, stored, replaced, hold }: Entry): Promise<void> {
    const { storage, storageName } = request;
    if (stored !== undefined && replaced && this.#moment === 'afterHandler') {
      logger.error('A file was replaced by an upload that failed afterwards; the new version stays.', {
        fields: { storage: storageName },
        key: staged.key,
      });
      hold?.tell();
      return;
    }
    // a file that nobody has heard of goes as it came; one that replaced another leaves none, which is news
    hold?.drop();
    const heard = replaced ? undefined : ChangeHold.silent();
    const remove = (): Promise<void> => (stored === undefined ? staged.abort() : removeVersion(storage, stored, heard));
    try {
      await remove();
    } catch (error) {
      const file = leftFile(storageName, staged.key);
      const step = stored === undefined ? 'staged' : 'committed';
      logger.error('A file of a failed upload could not be removed; it will be tried again.', {
        fields: { ...fieldsOf(file), step },
        key: staged.key,
        failure: error,
      });
      // what was staged and stays is swept by the storage when this process is gone
      tryAgainLater(file, remove);
    }
  }
}
