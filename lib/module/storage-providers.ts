import type {
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  OptionalFactoryDependency,
  Provider,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isStorage, Storage, type ConfigurationError } from '../contract/index.js';
import { getStorageToken, nameOfStorageToken } from '../registry/storage-token.js';
import { nameStorage } from './name-storage.js';
import { StorageLifecycle } from './storage-lifecycle.js';
import type { StorageDefinition } from './storage-module-options.interface.js';

type Dependencies = FactoryProvider['inject'];

/** A storage that a factory makes, checked and told its name before anybody gets it. */
export function madeStorage(
  name: string,
  inject: Dependencies,
  make: FactoryProvider<unknown>['useFactory'],
): FactoryProvider<Storage> {
  return {
    provide: getStorageToken(name),
    inject: inject ?? [],
    useFactory: async (...dependencies: unknown[]) => nameStorage(name, await make(...dependencies)),
  };
}

/**
 * The providers of one name: the storage, and what hands it to the registry and to its keeper. The latter injects the storage as everybody
 * does, so that a test which overrides it overrides it there too, and the one it replaces is neither opened nor closed.
 */
export function storageProviders(name: string, definition: StorageDefinition, index: number): Provider[] {
  if (isStorage(definition)) return [madeStorage(name, [], () => definition), kept(name, index, [])];
  // what JavaScript gives need not be what the type says
  const given: Partial<Record<'useFactory' | 'useClass' | 'useExisting' | 'inject', unknown>> & object =
    typeof definition === 'object' && (definition as unknown) !== null ? definition : {};
  if ('useFactory' in given && typeof given.useFactory === 'function') {
    const { useFactory, inject } = definition as Extract<StorageDefinition, { useFactory: unknown }>;
    return [madeStorage(name, inject, useFactory), kept(name, index, storagesAmong(inject))];
  }
  if ('useClass' in given && typeof given.useClass === 'function') {
    const { useClass } = definition as Extract<StorageDefinition, { useClass: unknown }>;
    return [
      madeStorage(name, [ModuleRef], (moduleRef: ModuleRef) => moduleRef.create(useClass)),
      kept(name, index, []),
    ];
  }
  if ('useExisting' in given && given.useExisting !== undefined) {
    const { useExisting } = definition as Extract<StorageDefinition, { useExisting: unknown }>;
    return [{ provide: getStorageToken(name), useExisting }, keptExisting(name, index, useExisting)];
  }
  return [madeStorage(name, [], () => definition), kept(name, index, [])];
}

/** The modules that the dependencies of a storage come from. */
export function importsOf(definition: StorageDefinition): NonNullable<ModuleMetadata['imports']> {
  if (isStorage(definition) || typeof definition !== 'object' || (definition as unknown) === null) return [];
  return definition.imports ?? [];
}

/**
 * Hands a storage to the registry and to its keeper.
 *
 * @param index tells two registrations of one name in one module apart, so that the second fails as a doubled name
 */
export function kept(name: string, index: number, madeOf: readonly (string | undefined)[]): Provider {
  return {
    provide: keptToken(name, index),
    inject: [StorageLifecycle, getStorageToken(name)],
    useFactory: (lifecycle: StorageLifecycle, storage: Storage) => lifecycle.add(name, storage, madeOf),
  };
}

function keptExisting(name: string, index: number, existing: InjectionToken): Provider {
  return {
    provide: keptToken(name, index),
    inject: [StorageLifecycle, getStorageToken(name), { token: existing, optional: true }],
    useFactory: (lifecycle: StorageLifecycle, storage: Storage, provided: unknown) => {
      // an alias has no factory that could check; a test's substitute is the test's affair
      if (storage === provided) nameStorage(name, storage);
      return lifecycle.add(name, storage, []);
    },
  };
}

function keptToken(name: string, index: number): string {
  return `nestjs-storages:kept:${index}:${name}`;
}

/** A start-up that fails for a reason which is known before: as an error of the start-up, where Nest reports it. */
export function failure(error: ConfigurationError): Provider {
  return {
    provide: 'nestjs-storages:failure',
    useFactory: () => {
      throw error;
    },
  };
}

/** The names of the storages among the dependencies of a factory; `undefined` is the default one. */
function storagesAmong(inject: Dependencies): (string | undefined)[] {
  return (inject ?? []).flatMap((dependency) => {
    const token = isOptional(dependency) ? dependency.token : dependency;
    const name = nameOfStorageToken(token);
    return name === undefined && token !== Storage ? [] : [name];
  });
}

function isOptional(dependency: InjectionToken | OptionalFactoryDependency): dependency is OptionalFactoryDependency {
  return typeof dependency === 'object' && 'token' in dependency;
}
