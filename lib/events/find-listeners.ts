import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ConfigurationError } from '../contract/index.js';
import { listeningsOf } from './on-storage-event.decorator.js';
import { STORAGE_EVENTS, type StorageEvent, type StorageEventType } from './storage-event.js';

/** One method of one instance. */
export interface StorageListener {
  /** `Class.method()`, for messages. */
  readonly name: string;
  readonly call: (event: StorageEvent) => unknown;
  readonly wants: readonly {
    /** Undefined: every storage. */
    readonly storage: string | undefined;
    readonly events: readonly StorageEventType[];
  }[];
}

/**
 * The methods of an application's providers and controllers that listen. An instance that is provided under several tokens listens once.
 *
 * @param known the names of the storages
 * @throws ConfigurationError for an unknown name or event, and for a listener that is no singleton
 */
export function findListeners(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  known: readonly string[],
): StorageListener[] {
  const found: StorageListener[] = [];
  const seen = new Set<object>();
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance: unknown = wrapper.instance;
    if (wrapper.isAlias || typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    const prototype: unknown = Object.getPrototypeOf(instance);
    if (typeof prototype !== 'object' || prototype === null) continue;
    for (const method of scanner.getAllMethodNames(prototype)) {
      const listener = listenerOf(instance, prototype, method, known);
      if (listener === undefined) continue;
      if (wrapper.isTransient || !wrapper.isDependencyTreeStatic()) throw noSingleton(listener.name);
      found.push(listener);
    }
  }
  return found;
}

function listenerOf(
  instance: object,
  prototype: object,
  method: string,
  known: readonly string[],
): StorageListener | undefined {
  const listen: unknown = Reflect.get(prototype, method);
  if (typeof listen !== 'function') return undefined;
  const listenings = listeningsOf(listen);
  if (listenings.length === 0) return undefined;
  const name = `${instance.constructor.name}.${method}()`;
  return {
    name,
    call: (event): unknown => Reflect.apply(listen, instance, [event]),
    wants: listenings.map(({ storage, events }) => {
      if (storage !== undefined && !known.includes(storage)) throw unknownName(name, storage, known);
      return { storage, events: checkedEvents(name, events) };
    }),
  };
}

function checkedEvents(name: string, events: readonly string[]): StorageEventType[] {
  const checked = STORAGE_EVENTS.filter((type) => events.includes(type));
  const unknown = events.filter((event) => !STORAGE_EVENTS.some((type) => type === event));
  if (unknown.length === 0 && checked.length > 0) return checked;
  throw new ConfigurationError(
    `@OnStorageEvent() of ${name} names ${unknown.length === 0 ? 'no event' : `no event of a storage: ${quoted(unknown)}`}. ` +
      `Known events: ${quoted(STORAGE_EVENTS)}. A storage's name comes before them: @OnStorageEvent('avatars', 'committed').`,
  );
}

function unknownName(name: string, storage: string, known: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `@OnStorageEvent() of ${name}: there is no storage ${JSON.stringify(storage)}. ` +
      (known.length === 0 ? 'No storage is registered.' : `Known names: ${quoted(known)}.`),
    { storage },
  );
}

/** A change of a storage belongs to no request, and a transient provider has as many instances as there are who inject it. */
function noSingleton(name: string): ConfigurationError {
  return new ConfigurationError(
    `@OnStorageEvent() stands on ${name}, whose class (or something that it injects) is request-scoped or transient: a change of a storage ` +
      'belongs to no request, so there is no instance to call. Put the listener into a singleton.',
  );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
