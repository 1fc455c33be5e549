import { hearChanges, innerStorageOf, type StorageChange } from '../contract/base/storage-changes.js';
import { BaseStorage, ConfigurationError, isStorage, type Storage } from '../contract/index.js';
import { StorageLogger } from '../logging/index.js';
import type { StorageRegistry } from '../registry/index.js';
import type { StorageListener } from './find-listeners.js';
import type { StorageEvent } from './storage-event.js';

/** The listeners of one application: hears the changes of its storages, and calls who wants to know. */
export class StorageEvents {
  readonly #logger = new StorageLogger('StorageEvents');
  readonly #registry: StorageRegistry;
  readonly #listeners: () => readonly StorageListener[];
  readonly #heard = new Map<object, () => void>();
  #found: readonly StorageListener[] = [];
  /** What happens before every module has been initialized is heard after it. */
  #early: (() => void)[] | undefined = [];
  /** Calls that are due or under way, but for those that were waited for in vain. */
  readonly #pending = new Set<StorageEvent>();
  #onIdle: (() => void)[] = [];

  /** @param listeners asked once, when every storage is registered */
  constructor(registry: StorageRegistry, listeners: () => readonly StorageListener[]) {
    this.#registry = registry;
    this.#listeners = listeners;
  }

  /** @throws ConfigurationError for a listener that cannot hear what it wants to */
  find(): void {
    this.#found = this.#listeners();
  }

  /** @throws ConfigurationError for a storage that tells nothing of what it does, where somebody asks for it by its name */
  attach(name: string, storage: Storage): void {
    if (this.#heard.has(storage)) return;
    const wanted = this.#found.flatMap((listener) => {
      const wants = listener.wants.filter((want) =>
        want.storage === undefined ? this.#hasFiles(storage) : this.#registry.get(want.storage) === storage,
      );
      const types = new Set(wants.flatMap(({ events }) => events));
      const byName = wants.some((want) => want.storage !== undefined);
      return types.size === 0 ? [] : [{ listener, types, byName }];
    });
    if (wanted.length === 0) return;
    const telling = tellingStorage(storage);
    if (telling === undefined) {
      const byName = wanted.find((each) => each.byName);
      // a test may have put something partial in its place
      if (byName !== undefined && isStorage(storage)) throw tellsNothing(byName.listener.name, name);
      return;
    }
    const off = hearChanges(telling, (change) => {
      for (const { listener, types } of wanted) {
        if (types.has(change.type)) this.#schedule(listener, name, change);
      }
    });
    this.#heard.set(storage, off);
  }

  detach(storage: Storage): void {
    this.#heard.get(storage)?.();
    this.#heard.delete(storage);
  }

  /** Every module has been initialized: listeners may be called. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const call of early) call();
  }

  /**
   * Waits for the calls that are due or under way.
   *
   * @param milliseconds how long at most
   */
  async whenIdle(milliseconds: number): Promise<void> {
    if (this.#pending.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#logger.warn('Calls of listeners have not ended in time; the application ends without them.', {
          fields: { calls: this.#pending.size },
        });
        this.#pending.clear();
        resolve();
      }, milliseconds);
      this.#onIdle.push(resolve);
    });
    clearTimeout(timer);
  }

  /** Whether it has files of its own, as far as this application knows: what is done through a view is told by the storage behind it. */
  #hasFiles(storage: object): boolean {
    const registered = new Set<object>(this.#registry.names().map((name) => this.#registry.get(name)));
    for (let inner = innerStorageOf(storage); inner !== undefined; inner = innerStorageOf(inner)) {
      if (registered.has(inner)) return false;
    }
    return true;
  }

  /** In a turn of its own: the operation's promise is settled by then, and its caller has gone on. */
  #schedule(listener: StorageListener, storage: string, change: StorageChange): void {
    const event: StorageEvent = Object.freeze({ ...change, storage });
    this.#pending.add(event);
    const call = (): void => {
      setImmediate(() => void this.#call(listener, event));
    };
    if (this.#early === undefined) call();
    else this.#early.push(call);
  }

  async #call({ name, call }: StorageListener, event: StorageEvent): Promise<void> {
    try {
      await call(event);
    } catch (error) {
      this.#report(name, event, error);
    } finally {
      this.#pending.delete(event);
      if (this.#pending.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Without the words of the application's error: they may hold the key, which may be a user's word, and secrets. */
  #report(name: string, { type, storage }: StorageEvent, error: unknown): void {
    try {
      this.#logger.error('A listener has failed; what was done in the storage stays done.', {
        fields: { listener: name, event: type, storage },
        failure: error,
      });
    } catch {
      // a logger of the application's that throws
    }
  }
}

/** The storage that tells of the changes of this one: itself, or the one that it passes every call on to. */
function tellingStorage(storage: object): object | undefined {
  for (let each: object | undefined = storage; each !== undefined; each = innerStorageOf(each)) {
    if (each instanceof BaseStorage) return each;
  }
  return undefined;
}

function tellsNothing(listener: string, storage: string): ConfigurationError {
  return new ConfigurationError(
    `@OnStorageEvent() of ${listener}: the storage ${JSON.stringify(storage)} tells nobody of what it does, since it does not extend BaseStorage. ` +
      'Extend BaseStorage, or wrap it in one of the wrappers.',
    { storage },
  );
}
