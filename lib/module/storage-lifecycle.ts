import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { noteRegistered } from '../contract/base/registered.js';
import { ConfigurationError, StorageError, type Storage } from '../contract/index.js';
import type { StorageEvents } from '../events/storage-events.js';
import type { StorageRegistry } from '../registry/index.js';
import type { RequestDrain } from '../shutdown/request-drain.js';
import { requireStorage } from './name-storage.js';
import type { SigningHolder } from './signing-holder.js';
import { restateError } from '../wrappers/restate-error.js';

interface OwnedStorage {
  /** The first name it was registered under. */
  readonly name: string;
  readonly storage: Storage;
  /** Names of storages that this one was made of (`undefined`: the default one). They are closed after it. */
  readonly madeOf: readonly (string | undefined)[];
  opening: Promise<void> | undefined;
  closing: Promise<void> | undefined;
}

/** What has to do with a storage from its opening to its closing. */
interface LifecycleParts {
  readonly signing: SigningHolder;
  readonly events: StorageEvents;
  readonly drain: Pick<RequestDrain, 'left'>;
}

/** How many started applications have a storage: an instance in a module that two applications are made of is closed by the last of them. */
const holders = new WeakMap<Storage, number>();

/** Opens the storages of an application when it starts, and closes each of them once when it ends. */
export class StorageLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #registry: StorageRegistry;
  readonly #announced: readonly string[];
  readonly #parts: LifecycleParts;
  /** By identity: a storage under two names is one storage. */
  readonly #owned = new Map<Storage, OwnedStorage>();
  readonly #awaited: { readonly name: string; readonly resolve: (storage: Storage) => void }[] = [];
  #started = false;

  /** @param announced the names that must be registered when the application starts */
  constructor(registry: StorageRegistry, announced: readonly string[], parts: LifecycleParts) {
    this.#registry = registry;
    this.#announced = announced;
    this.#parts = parts;
  }

  /** Takes over a storage under a name. In a module that is loaded lazily, after the start, it is opened at once. */
  async add(name: string, storage: Storage, madeOf: readonly (string | undefined)[]): Promise<void> {
    // whatever a test has put in its place, it must be something
    if (typeof storage !== 'object' || (storage as unknown) === null) requireStorage(name, storage);
    this.#registry.register(name, storage);
    noteRegistered(storage);
    for (const awaited of this.#awaited) if (awaited.name === name) awaited.resolve(storage);
    if (this.#owned.has(storage)) return;
    const owned: OwnedStorage = { name, storage, madeOf, opening: undefined, closing: undefined };
    this.#owned.set(storage, owned);
    if (this.#started) {
      this.#attach(owned);
      await this.#open(owned);
    }
  }

  /** The storage of a name that is announced and perhaps still being made. */
  whenAdded(name: string): Promise<Storage> {
    if (this.#registry.has(name)) return Promise.resolve(this.#registry.get(name));
    return new Promise((resolve) => {
      this.#awaited.push({ name, resolve });
    });
  }

  async onModuleInit(): Promise<void> {
    const absent = this.#announced.filter((name) => !this.#registry.has(name));
    if (absent.length > 0) {
      throw new ConfigurationError(
        `A storage lives as long as its application, and ${absent.map((name) => JSON.stringify(name)).join(', ')} ` +
          'was not made at its start: its factory must not depend on a request-scoped provider.',
      );
    }
    this.#parts.events.find();
    for (const owned of this.#owned.values()) this.#attach(owned);
    this.#started = true;
    const opened = await Promise.allSettled([...this.#owned.values()].map((owned) => this.#open(owned)));
    const failures = reasonsIn(opened);
    if (failures.length > 0) {
      // an application that does not start is not always shut down
      failures.push(...(await this.#closeAll()));
      throw together(failures);
    }
  }

  /** Nest calls it after the HTTP server has closed, and for a global module last: no request and no other module's hook comes after. */
  async onApplicationShutdown(): Promise<void> {
    const { events, drain } = this.#parts;
    // a listener may read what it was told of
    await events.whenIdle(drain.left);
    const failures = await this.#closeAll();
    if (failures.length > 0) throw together(failures);
  }

  #attach({ name, storage }: OwnedStorage): void {
    this.#parts.events.attach(name, storage);
    this.#parts.signing.attach(name, storage);
    hold(storage);
  }

  async #closeAll(): Promise<unknown[]> {
    return reasonsIn(await Promise.allSettled([...this.#owned.values()].map((owned) => this.#close(owned))));
  }

  #open(owned: OwnedStorage): Promise<void> {
    owned.opening ??= this.#openAfterParts(owned);
    return owned.opening;
  }

  /** Fails with the very error of a part that failed: what cannot open because of it has nothing to add. */
  async #openAfterParts(owned: OwnedStorage): Promise<void> {
    await Promise.all(this.#partsOf(owned).map((part) => this.#open(part)));
    await open(owned);
  }

  #close(owned: OwnedStorage): Promise<void> {
    owned.closing ??= this.#closeAfterDependents(owned);
    return owned.closing;
  }

  #partsOf({ storage, madeOf }: OwnedStorage): OwnedStorage[] {
    return madeOf.flatMap((name = this.#registry.defaultName) => {
      if (name === undefined || !this.#registry.has(name)) return [];
      const part = this.#owned.get(this.#registry.get(name));
      // a factory may give what it was given
      return part === undefined || part.storage === storage ? [] : [part];
    });
  }

  async #closeAfterDependents(owned: OwnedStorage): Promise<void> {
    const dependents = [...this.#owned.values()].filter((other) => this.#partsOf(other).includes(owned));
    // a dependent that fails to close says so itself
    await Promise.allSettled(dependents.map((dependent) => this.#close(dependent)));
    this.#parts.events.detach(owned.storage);
    this.#parts.signing.detach(owned.storage);
    if (this.#started) letGo(owned.storage);
    if (isHeld(owned.storage)) return;
    const { close } = owned.storage as Partial<Storage>;
    try {
      await close?.call(owned.storage);
    } catch (error) {
      throw named(owned.name, 'close', error);
    }
  }
}

function hold(storage: Storage): void {
  holders.set(storage, (holders.get(storage) ?? 0) + 1);
}

function letGo(storage: Storage): void {
  holders.set(storage, (holders.get(storage) ?? 1) - 1);
}

function isHeld(storage: Storage): boolean {
  return (holders.get(storage) ?? 0) > 0;
}

async function open({ name, storage }: OwnedStorage): Promise<void> {
  // not every storage has it, and a test may have put something partial in its place
  const { open: connect } = storage as { open?: unknown };
  if (typeof connect !== 'function') return;
  try {
    await (connect.call(storage) as unknown);
  } catch (error) {
    throw named(name, 'open', error);
  }
}

function named(name: string, operation: 'open' | 'close', cause: unknown): StorageError {
  const what = `The storage ${JSON.stringify(name)} could not be ${operation === 'open' ? 'opened' : 'closed'}`;
  const context = { operation, storage: name, cause };
  // only a storage error's own words are known to hold no path and no secret
  return cause instanceof StorageError
    ? restateError(cause, { ...context, message: `${what}: ${cause.message}` })
    : new StorageError(`${what}; its own error is the cause.`, context);
}

function reasonsIn(results: readonly PromiseSettledResult<void>[]): unknown[] {
  return [...new Set(results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])))];
}

function together(failures: readonly unknown[]): unknown {
  const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  return failures.length === 1 ? failures[0] : new AggregateError(failures, messages.join('\n'));
}
