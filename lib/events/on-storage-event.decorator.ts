import 'reflect-metadata';
import { ConfigurationError } from '../contract/index.js';
import type { StorageEvent, StorageEventType } from './storage-event.js';

const LISTENS = 'nestjs-storages:on-storage-event';

/** What one decorator says: unchecked, as it stands in the code. */
export interface Listening {
  /** Undefined: every storage of the application. */
  readonly storage: string | undefined;
  readonly events: readonly string[];
}

/** A decorator of methods that take these events, whatever they return. */
export type StorageEventDecorator<T extends StorageEventType> = <M extends (event: StorageEvent<T>) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Calls a method of a provider or controller after each change of a storage of its application. With a name, the changes that are made
 * through the storage of that name, with that storage's keys; without one, those of every storage, each once, where the file is.
 *
 * The method is called when the operation is over, and has no part in it: what it throws is logged. It has to be a singleton's.
 * Several decorators may stand on one method. An unknown name or event fails the start.
 *
 * @example
 * @Injectable()
 * export class AvatarListener {
 *   @OnStorageEvent('avatars', 'committed')
 *   async addThumbnail({ key }: StorageEvent<'committed'>) { ... }
 *
 *   @OnStorageEvent(['moved', 'deleted'])
 *   forget(event: StorageEvent<'moved' | 'deleted'>) { ... }
 * }
 */
export function OnStorageEvent<T extends StorageEventType>(
  storage: string,
  events: T | readonly T[],
): StorageEventDecorator<T>;
export function OnStorageEvent<T extends StorageEventType>(events: T | readonly T[]): StorageEventDecorator<T>;
export function OnStorageEvent(
  ...given: readonly (string | readonly string[])[]
): (target: object, method: string | symbol, descriptor: PropertyDescriptor) => void {
  const [storage, events] = given.length > 1 ? [String(given[0]), given[1]] : [undefined, given[0]];
  return (target, method, descriptor) => {
    const value: unknown = descriptor.value;
    if (typeof target === 'function' || typeof value !== 'function') {
      throw new ConfigurationError(
        `@OnStorageEvent() stands on ${String(method)}, which is no method of an instance: only those can listen.`,
      );
    }
    // decorators are run from the last one to the first
    const listening: Listening = { storage, events: [events ?? []].flat() };
    Reflect.defineMetadata(LISTENS, [listening, ...listeningsOf(value)], value);
  };
}

/** What the decorators of a method say. */
export function listeningsOf(method: object): readonly Listening[] {
  return (Reflect.getMetadata(LISTENS, method) as readonly Listening[] | undefined) ?? [];
}
