import { ConfigurationError } from '../contract/index.js';
import type {
  FeatureStorage,
  StorageModuleAsyncOptions,
  StorageModuleOptions,
  StorageOptions,
} from './storage-module-options.interface.js';

// What TypeScript holds a caller to, said to those who write JavaScript or have cast: else they would read what fails below, or nothing at all
// where an option is misspelled.

type NamesOf<O> = Readonly<Record<keyof O, true>>;
type OfAny<O> = O extends unknown ? keyof O : never;

const SETTINGS = { default: true, isGlobal: true, exceptionFilter: true } as const;
const MADE: NamesOf<StorageOptions> = { storages: true, upload: true, serve: true, shutdown: true };
const OPTIONS: NamesOf<StorageModuleOptions> = { ...SETTINGS, ...MADE };
const ASYNC_OPTIONS: NamesOf<StorageModuleAsyncOptions> = {
  ...SETTINGS,
  names: true,
  serve: true,
  imports: true,
  useFactory: true,
  useClass: true,
  useExisting: true,
  inject: true,
  extraProviders: true,
};
const FEATURE: Readonly<Record<OfAny<FeatureStorage>, true>> = {
  name: true,
  storage: true,
  prefix: true,
  keys: true,
  useValue: true,
  useFactory: true,
  inject: true,
  imports: true,
};

/** @throws ConfigurationError that shows the form */
export function checkOptions(options: unknown): asserts options is StorageModuleOptions {
  const { storages } = Object(options) as { readonly storages?: unknown };
  if (!isRecord(storages)) {
    throw new ConfigurationError(
      "StorageModule.forRoot() takes storages by their names: { storages: { uploads: new FileSystemStorage({ root: './var/uploads' }) } }.",
    );
  }
  refuseUnknown('forRoot()', options, OPTIONS);
}

/** @throws ConfigurationError that shows the form */
export function checkAsyncOptions(options: unknown): asserts options is StorageModuleAsyncOptions {
  const { names } = Object(options) as { readonly names?: unknown };
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new ConfigurationError(
      "StorageModule.forRootAsync() takes the names of what its factory will make, since others inject by them: { names: ['uploads'], useFactory: ... }.",
    );
  }
  refuseUnknown('forRootAsync()', options, ASYNC_OPTIONS);
}

/** Of what a factory for `forRootAsync` has made. @throws ConfigurationError that names the option */
export function checkMade(options: StorageOptions): void {
  refuseUnknown('forRootAsync(), its factory', options, MADE);
}

/** @throws ConfigurationError that shows the form */
export function checkFeatures(features: unknown): void {
  if (!Array.isArray(features)) {
    throw new ConfigurationError(
      "StorageModule.forFeature() takes an array: [{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }].",
    );
  }
  for (const feature of features as unknown[]) refuseUnknown('forFeature()', feature, FEATURE);
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseUnknown(method: string, options: unknown, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(Object(options) as object)) {
    if (Object.hasOwn(known, name)) continue;
    throw new ConfigurationError(
      `StorageModule.${method}: ${name} is not one of its options (${Object.keys(known).join(', ')}).`,
    );
  }
}
