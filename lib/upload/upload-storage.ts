import { Inject, Optional } from '@nestjs/common';
import { ConfigurationError, Storage } from '../contract/index.js';
import { InjectStorage, type StorageRegistry } from '../registry/index.js';
import { fieldsIn } from './resolve-upload-options.js';
import type { UploadOptions } from './upload-options.js';

/** A storage and the name it is registered under. */
export interface UploadStorage {
  readonly storage: Storage;
  readonly storageName: string;
}

/** Injects the default storage, if there is one. */
export function InjectDefaultStorage(): ParameterDecorator {
  return (target, property, index) => {
    Inject(Storage)(target, property, index);
    Optional()(target, property, index);
  };
}

/** The storages that options name outside functions. */
export function storagesNamedIn(options: UploadOptions): ReadonlySet<string> {
  const named = [options, ...Object.values(fieldsIn(options))].map(({ storage }) => storage);
  return new Set(named.filter((name) => typeof name === 'string'));
}

/** The property of an interceptor that has a storage which its options name. */
export const propertyOf = (name: string): string => `storage ${JSON.stringify(name)}`;

/** Makes a class ask for storages by their names: one that nobody gives fails at the start. */
export function dependOnStorages(prototype: object, names: Iterable<string>): void {
  for (const name of names) InjectStorage(name)(prototype, propertyOf(name));
}

/**
 * Finds the storages of an upload: those that its options name, else the one that the application's defaults name, else the default one.
 *
 * @param injected by {@link dependOnStorages}
 */
export function storageFinder(
  injected: ReadonlyMap<string, Storage>,
  byDefault: Storage | undefined,
  registry: StorageRegistry | undefined,
): (name: string | undefined) => UploadStorage {
  return (name) => {
    const named = name === undefined ? undefined : injected.get(name);
    if (name !== undefined && named !== undefined) return { storage: named, storageName: name };
    if (name === undefined && byDefault !== undefined) {
      return { storage: byDefault, storageName: registry?.defaultName ?? ownNameOf(byDefault) };
    }
    if (registry === undefined) {
      throw new ConfigurationError(
        'There is no storage to upload to: import StorageModule.forRoot(), or provide the class Storage.',
      );
    }
    return { storage: registry.get(name), storageName: name ?? registry.defaultName ?? '' };
  };
}

/** The name that a BaseStorage has; of another one, its class's. */
function ownNameOf(storage: Storage): string {
  const { name } = storage as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : storage.constructor.name;
}
