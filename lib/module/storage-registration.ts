import type { ValueProvider } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../contract/index.js';
import type { WildcardRoute } from '../platform/wildcard-path.js';
import type { UploadDefaults } from '../upload/index.js';

/** What one call of `forRoot`, `forRootAsync` or `forFeature` says of an application before any factory has run. */
export interface StorageRegistration {
  readonly names: readonly string[];
  /** The default storage that this call names, or has as its only one. */
  readonly default?: { readonly name: string; readonly explicit: boolean };
  readonly exceptionFilter: boolean;
  readonly upload?: UploadDefaults;
  /** Routes that wait for the platform. */
  readonly wildcards?: readonly WildcardRoute[];
}

const STORAGE_REGISTRATION = 'nestjs-storages:registration';

export function registrationProvider(registration: StorageRegistration): ValueProvider<StorageRegistration> {
  return { provide: STORAGE_REGISTRATION, useValue: registration };
}

/**
 * The registrations of an application, in the order of its modules. Read from the modules, which Nest has all found before it makes
 * the first provider: so they are complete while factories are still running, and belong to one application only.
 */
export function registrationsOf(modules: ModulesContainer): StorageRegistration[] {
  const registrations: StorageRegistration[] = [];
  for (const module of modules.values()) {
    const registration: unknown = module.providers.get(STORAGE_REGISTRATION)?.instance;
    if (registration !== undefined) registrations.push(registration as StorageRegistration);
  }
  return registrations;
}

export function namesIn(registrations: readonly StorageRegistration[]): string[] {
  return registrations.flatMap(({ names }) => names);
}

/**
 * The application's default storage: the one that a registration names, else the only storage of the first that has just one.
 *
 * @throws ConfigurationError where two are named, or the named one comes too late to be found first
 */
export function defaultNameIn(registrations: readonly StorageRegistration[]): string | undefined {
  const candidates = registrations.flatMap((registration) => registration.default ?? []);
  const [first, ...others] = candidates;
  const rival = others.find(({ explicit }) => explicit);
  if (first === undefined || rival === undefined) return first?.name;
  throw new ConfigurationError(
    `Two storages are to be the default one: ${JSON.stringify(first.name)}` +
      (first.explicit ? '' : ' (the only one of its forRoot())') +
      ` and ${JSON.stringify(rival.name)}. Say { default: false } in the forRoot() whose storage is not.`,
    { storage: first.name },
  );
}
