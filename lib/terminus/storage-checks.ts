import type { Storage, StoredFile } from '../contract/index.js';
import { sweepCanaries } from './canary.js';
import { checkStorage, type CheckedStorage } from './check-storage.js';
import { STALE_MS, type ResolvedHealthOptions } from './storage-health-options.js';

/** How long the application's end waits for what checks have still to take away, in milliseconds. */
const LAST_WAIT_MS = 5_000;

/** The checks of one application: those that meet are one, and what they leave behind is taken away. */
export class StorageChecks {
  readonly #runs = new WeakMap<Storage, Map<string, Promise<CheckedStorage>>>();
  /** When leftovers under a prefix were last looked for. */
  readonly #swept = new WeakMap<Storage, Map<string, number>>();
  /** What goes on after a result was given. */
  readonly #unfinished = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #ended: Promise<void> | undefined;

  /** Resolves, also when the storage is down, within the time that the options allow. */
  run(storage: Storage, options: ResolvedHealthOptions): Promise<CheckedStorage> {
    const { mode, key, timeout, canaryPrefix } = options;
    const runs = mapIn(this.#runs, storage);
    const id = JSON.stringify([mode, key, timeout, canaryPrefix]);
    const underWay = runs.get(id);
    if (underWay !== undefined) return underWay;
    const run = checkStorage(storage, options).then((checked) => {
      runs.delete(id);
      this.#track(checked.cleaned);
      if (checked.canary !== undefined) this.#sweepSometimes(storage, canaryPrefix, checked.canary);
      return checked;
    });
    runs.set(id, run);
    this.#track(run);
    return run;
  }

  /** Waits for what goes on, but not for a storage that hangs. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WAIT_MS);
    });
    await Promise.race([this.#finished(), late]);
    clearTimeout(timer);
  }

  async #finished(): Promise<void> {
    // a run that ends brings its cleaning
    while (this.#unfinished.size > 0) await Promise.allSettled(this.#unfinished);
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#unfinished.delete(tracked));
    this.#unfinished.add(tracked);
  }

  /** Beside the answers: nobody waits for a listing. At the first check, then as often as a canary can become a leftover. */
  #sweepSometimes(storage: Storage, prefix: string, canary: StoredFile): void {
    const swept = mapIn(this.#swept, storage);
    const now = Date.now();
    const last = swept.get(prefix);
    if (this.#ending.signal.aborted || (last !== undefined && now - last < STALE_MS)) return;
    swept.set(prefix, now);
    // what was left this time is found the next time
    this.#track(sweepCanaries(storage, prefix, canary, this.#ending.signal).catch(() => undefined));
  }
}

function mapIn<V>(maps: WeakMap<Storage, Map<string, V>>, storage: Storage): Map<string, V> {
  const made = maps.get(storage) ?? new Map<string, V>();
  maps.set(storage, made);
  return made;
}
