import {
  forwardRef,
  Global,
  Module,
  Scope,
  type FactoryProvider,
  type ForwardReference,
  type Type,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Storage } from '../contract/index.js';
import { missingStorages } from '../registry/named-in-code.js';
import { noDefaultStorage, unknownStorage } from '../registry/storage-registry.js';
import { getStorageToken } from '../registry/index.js';
import { StorageLifecycle } from './storage-lifecycle.js';
import { defaultNameIn, namesIn, registrationsOf } from './storage-registration.js';

const built = new Map<string, Type>();
const own = new WeakSet<object>();

/**
 * A module that provides the names that are asked for and given nowhere, and fails for each of them with the known names where Nest would only
 * say that it cannot resolve a dependency. Evaluated when Nest reads the modules, the reference knows what all of them ask for. It leads to a
 * class, since Nest takes a dynamic module behind a forward reference only since late in version 11.2.
 */
export const storageNameCheck: ForwardReference = forwardRef(() => {
  const missing = missingStorages();
  const key = JSON.stringify(missing);
  // the same class for the same names: Nest may evaluate a reference twice
  const module = built.get(key) ?? moduleFor(missing);
  built.set(key, module);
  return module;
});

function moduleFor(missing: readonly (string | undefined)[]): Type {
  const providers = missing.map(refusal);
  // stands in the log of every start, where it must not read like a failure
  const module = class StorageNameCheckModule {};
  own.add(module);
  Global()(module);
  Module({ providers, exports: providers.map(({ provide }) => provide) })(module);
  return module;
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
    if (own.has(module.metatype) || !module.isGlobal || !module.exports.has(token)) continue;
    const provided: unknown = module.providers.get(token)?.instance;
    if (provided !== undefined && provided !== null) return provided as Storage;
  }
  return undefined;
}
