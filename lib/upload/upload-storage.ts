import { Inject, Optional } from '@nestjs/common';
import { ConfigurationError, Storage } from '../contract/index.js';
import { InjectStorage, type StorageRegistry } from '../registry/index.js';
import type { UploadOptions } from './upload-options.js';

/** Injects the storage of that name, or the default one if there is one. A name that nobody gives fails at the start. */
export function DependsOnStorage(name: string | undefined): ParameterDecorator {
  if (name !== undefined) return InjectStorage(name);
  return (target, property, index) => {
    Inject(Storage)(target, property, index);
    Optional()(target, property, index);
  };
}

/** A storage and the name it is registered under. */
export interface UploadStorage {
  readonly storage: Storage;
  readonly storageName: string;
}

/**
 * The storage of an upload: the one that the interceptor names, else the one that the application's defaults name, else the default one.
 *
 * @param injected what {@link DependsOnStorage} gave
 * @throws ConfigurationError that lists the known names
 */
export function resolveStorage(
  injected: Storage | undefined,
  registry: StorageRegistry | undefined,
  options: UploadOptions,
  name: string | undefined,
): UploadStorage {
  if (options.storage !== undefined && injected !== undefined) {
    return { storage: injected, storageName: options.storage };
  }
  if (name === undefined && injected !== undefined) {
    return { storage: injected, storageName: registry?.defaultName ?? ownNameOf(injected) };
  }
  if (registry === undefined) {
    throw new ConfigurationError(
      'There is no storage to upload to: import StorageModule.forRoot(), or provide the class Storage.',
    );
  }
  return { storage: registry.get(name), storageName: name ?? registry.defaultName ?? '' };
}

/** The name that a BaseStorage has; of another one, its class's. */
function ownNameOf(storage: Storage): string {
  const { name } = storage as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : storage.constructor.name;
}
