import { ConfigurationError, type Storage } from '../contract/index.js';

/**
 * The storages of an application by name, for names that are known at run time only. Where a name is known beforehand,
 * `@InjectStorage(name)` finds a wrong one at start-up.
 *
 * @example
 * constructor(private readonly storages: StorageRegistry) {}
 *
 * archive(tenant: Tenant) {
 *   return this.storages.get(tenant.region).put(...);
 * }
 */
export class StorageRegistry {
  readonly #storages = new Map<string, Storage>();
  /** The name of the default storage, where there is one. */
  readonly defaultName: string | undefined;

  constructor(defaultName?: string) {
    this.defaultName = defaultName;
  }

  /**
   * The storage of that name; without a name, the default one.
   *
   * @throws ConfigurationError that lists the known names
   */
  get(name?: string): Storage {
    const wanted = name ?? this.defaultName;
    if (wanted === undefined) throw noDefaultStorage(this.names());
    const storage = this.#storages.get(wanted);
    if (storage === undefined) throw unknownStorage(wanted, this.names());
    return storage;
  }

  has(name: string): boolean {
    return this.#storages.has(name);
  }

  /** Every name, in the order in which the storages were made. */
  names(): string[] {
    return [...this.#storages.keys()];
  }

  /**
   * Adds a storage. The module does it for its own.
   *
   * @throws ConfigurationError for a name that is taken
   */
  register(name: string, storage: Storage): void {
    if (this.#storages.has(name)) throw doubledStorage(name, this.names());
    this.#storages.set(name, storage);
  }
}

export function unknownStorage(name: string, known: readonly string[]): ConfigurationError {
  return new ConfigurationError(`There is no storage ${JSON.stringify(name)}. ${listed(known)}`, { storage: name });
}

export function doubledStorage(name: string, known: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `The storage name ${JSON.stringify(name)} is given twice; a name stands for one storage in an application. ${listed(known)}`,
    { storage: name },
  );
}

export function noDefaultStorage(known: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `There is no default storage. Name one with 'default' in StorageModule.forRoot(), or ask for a storage by its name. ${listed(known)}`,
  );
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'No storage is registered.';
  return `Known names: ${names.map((name) => JSON.stringify(name)).join(', ')}.`;
}
