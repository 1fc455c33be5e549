import { Module, Scope, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Storage } from '../contract/index.js';
import { missingStorages } from '../registry/named-in-code.js';
import { noDefaultStorage, unknownStorage } from '../registry/storage-registry.js';
import { getStorageToken } from '../registry/index.js';
import { StorageLifecycle } from './storage-lifecycle.js';
import { defaultNameIn, namesIn, registrationsOf } from './storage-registration.js';

const built = new Map<string, DynamicModule>();

/**
 * Provides the names that are asked for and given nowhere, and fails for each of them with the known names where Nest would only say
 * that it cannot resolve a dependency. For a forward reference: evaluated when Nest reads the modules, it knows what all of them ask for.
 * Its name stands in the log of every start, where it must not read like a failure.
 */
@Module({})
export class StorageNameCheckModule {
  static forMissing(): DynamicModule {
    const missing = missingStorages();
    const key = JSON.stringify(missing);
    // the same object for the same names: Nest tells dynamic modules apart by identity, and may evaluate a reference twice
    const known = built.get(key);
    if (known !== undefined) return known;
    const providers = missing.map(refusal);
    const dynamicModule = {
      module: StorageNameCheckModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
    built.set(key, dynamicModule);
    return dynamicModule;
  }
}

function refusal(name: string | undefined): FactoryProvider<Storage> {
  const token = getStorageToken(name);
  return {
    provide: token,
    // a transient provider is made only where somebody injects it
    scope: Scope.TRANSIENT,
    inject: [ModulesContainer, StorageLifecycle],
    useFactory: (modules: ModulesContainer, lifecycle: StorageLifecycle): Storage | Promise<Storage> => {
      const provided = providedElsewhere(modules, token);
      if (provided !== undefined) return provided;
      const registrations = registrationsOf(modules);
      const names = namesIn(registrations);
      const wanted = name ?? defaultNameIn(registrations);
      // given after all, by a module that was loaded lazily: in such a one global modules come before its own imports
      if (wanted !== undefined && names.includes(wanted)) return lifecycle.whenAdded(wanted);
      throw wanted === undefined ? noDefaultStorage(names) : unknownStorage(wanted, names);
    },
  };
}

/** A global module of the application's own may provide a token by hand, and Nest may have come here first. */
function providedElsewhere(modules: ModulesContainer, token: ReturnType<typeof getStorageToken>): Storage | undefined {
  for (const module of modules.values()) {
    if (module.metatype === StorageNameCheckModule || !module.isGlobal || !module.exports.has(token)) continue;
    const provided: unknown = module.providers.get(token)?.instance;
    if (provided !== undefined && provided !== null) return provided as Storage;
  }
  return undefined;
}
