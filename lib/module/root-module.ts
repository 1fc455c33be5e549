import { type FactoryProvider, type ModuleMetadata, type Provider } from '@nestjs/common';
import { ConfigurationError, Storage } from '../contract/index.js';
import { giveStorages } from '../registry/named-in-code.js';
import { getStorageToken } from '../registry/index.js';
import { unknownStorage } from '../registry/storage-registry.js';
import type { ShutdownOptions } from '../shutdown/index.js';
import { RequestDrain } from '../shutdown/request-drain.js';
import { UPLOAD_DEFAULTS, type UploadDefaults } from '../upload/index.js';
import { checkAsyncOptions, checkMade, checkOptions } from './check-module-options.js';
import { serveMetadata, type ServeMetadata } from './serve-providers.js';
import { StorageCoreModule } from './storage-core.module.js';
import type {
  StorageModuleAsyncOptions,
  StorageModuleOptions,
  StorageModuleSettings,
  StorageOptions,
  StorageOptionsFactory,
} from './storage-module-options.interface.js';
import { failure, importsOf, kept, madeStorage, storageProviders } from './storage-providers.js';
import { registrationProvider, type StorageRegistration } from './storage-registration.js';
import { storageNameCheck } from './storage-name-check.module.js';
import { UploadDefaultsHolder } from './upload-defaults-holder.js';

/** What `forRoot` and `forRootAsync` give to Nest, but for the module's class. */
export interface RootMetadata extends Required<
  Pick<ModuleMetadata, 'imports' | 'controllers' | 'providers' | 'exports'>
> {
  readonly global: boolean;
}

/** The options that a factory made. A token within one module. */
const OPTIONS = 'nestjs-storages:options';

export function rootMetadata(options: StorageModuleOptions): RootMetadata {
  checkOptions(options);
  const definitions = Object.entries(options.storages);
  const names = definitions.map(([name]) => name);
  const serve = serveMetadata(options.serve, [], () => options.serve);
  const registration = registrationOf(names, options, options.upload, serve);
  return rootOf(registration, options, {
    imports: definitions.flatMap(([, definition]) => importsOf(definition)),
    controllers: serve.controllers,
    providers: [
      ...definitions.flatMap(([name, definition], index) => storageProviders(name, definition, index)),
      uploadDefaults(registration, [], () => options.upload),
      shutdownOptions(registration, [], () => options.shutdown),
      ...serve.providers,
    ],
  });
}

export function asyncRootMetadata(options: StorageModuleAsyncOptions): RootMetadata {
  checkAsyncOptions(options);
  const serve = serveMetadata(options.serve, [OPTIONS], (made) => made.serve);
  const registration = registrationOf(options.names, options, undefined, serve);
  return rootOf(registration, options, {
    imports: options.imports ?? [],
    controllers: serve.controllers,
    providers: [
      ...(options.extraProviders ?? []),
      ...optionsProviders(options),
      ...options.names.flatMap((name, index) => [
        madeStorage(name, [OPTIONS], ({ storages }: StorageOptions) => storages[name]),
        kept(name, index, []),
      ]),
      uploadDefaults(registration, [OPTIONS], ({ upload }: StorageOptions) => upload),
      shutdownOptions(registration, [OPTIONS], ({ shutdown }: StorageOptions) => shutdown),
      ...serve.providers,
    ],
  });
}

function rootOf(
  registration: StorageRegistration,
  settings: StorageModuleSettings,
  { imports, controllers, providers }: Pick<RootMetadata, 'imports' | 'controllers' | 'providers'>,
): RootMetadata {
  const { names, default: chosen } = registration;
  const unknownDefault = typeof settings.default === 'string' && !names.includes(settings.default);
  giveStorages(names, chosen !== undefined || unknownDefault);
  const byDefault: Provider[] = [];
  if (unknownDefault) byDefault.push(failure(unknownStorage(settings.default, names)));
  // an alias: Nest would call the hooks of a second factory's storage a second time
  else if (chosen !== undefined) byDefault.push({ provide: Storage, useExisting: getStorageToken(chosen.name) });
  return {
    global: settings.isGlobal ?? true,
    imports: [StorageCoreModule, storageNameCheck, ...imports],
    controllers,
    providers: [registrationProvider(registration), ...providers, ...byDefault],
    exports: [
      StorageCoreModule,
      UPLOAD_DEFAULTS,
      ...names.map((name) => getStorageToken(name)),
      ...(chosen === undefined ? [] : [Storage]),
    ],
  };
}

function registrationOf(
  names: readonly string[],
  settings: StorageModuleSettings,
  upload: UploadDefaults | undefined,
  { wildcards }: ServeMetadata,
): StorageRegistration {
  const explicit = settings.default !== undefined;
  const chosen = explicit ? settings.default : names.length === 1 ? names[0] : false;
  return {
    names,
    wildcards,
    exceptionFilter: settings.exceptionFilter ?? true,
    ...(typeof chosen === 'string' && names.includes(chosen) ? { default: { name: chosen, explicit } } : undefined),
    ...(upload === undefined ? undefined : { upload }),
  };
}

function uploadDefaults(
  registration: StorageRegistration,
  inject: string[],
  defaultsIn: (options: StorageOptions) => UploadDefaults | undefined,
): FactoryProvider<UploadDefaults> {
  return {
    provide: UPLOAD_DEFAULTS,
    inject: [UploadDefaultsHolder, ...inject],
    useFactory: (holder: UploadDefaultsHolder, options: StorageOptions) => {
      holder.give(registration, defaultsIn(options));
      return holder.defaults;
    },
  };
}

function shutdownOptions(
  registration: StorageRegistration,
  inject: string[],
  shutdownIn: (options: StorageOptions) => ShutdownOptions | undefined,
): Provider {
  return {
    provide: 'nestjs-storages:shutdown',
    inject: [RequestDrain, ...inject],
    useFactory: (drain: RequestDrain, options: StorageOptions) => {
      drain.configure(registration, shutdownIn(options));
      return registration;
    },
  };
}

function optionsProviders(options: StorageModuleAsyncOptions): Provider[] {
  const { names, serve, useFactory, useClass, useExisting, inject } = options;
  const fromFactory = (factory: StorageOptionsFactory): StorageOptions | Promise<StorageOptions> =>
    factory.createStorageOptions();
  const announced = (
    dependencies: FactoryProvider['inject'],
    make: FactoryProvider<StorageOptions>['useFactory'],
  ): Provider => ({
    provide: OPTIONS,
    inject: dependencies ?? [],
    useFactory: async (...args: unknown[]) => {
      const made = checkNames(names, await make(...args));
      if (made.serve !== undefined && serve === undefined) throw routeMissing();
      return made;
    },
  });
  if (useFactory !== undefined) return [announced(inject, useFactory)];
  if (useClass !== undefined) return [{ provide: useClass, useClass }, announced([useClass], fromFactory)];
  if (useExisting !== undefined) return [announced([useExisting], fromFactory)];
  return [
    announced([], () => {
      throw new ConfigurationError('StorageModule.forRootAsync() needs one of useFactory, useClass and useExisting.');
    }),
  ];
}

function routeMissing(): ConfigurationError {
  return new ConfigurationError(
    "The factory of StorageModule.forRootAsync() gives 'serve', and where its routes lie must be known before it runs: say " +
      "serve: { path: 'storage' } beside 'names'.",
  );
}

/** @throws ConfigurationError when a factory made other storages than were announced, or gives what is no option */
function checkNames(names: readonly string[], options: StorageOptions): StorageOptions {
  const storages: unknown = (options as Partial<StorageOptions> | null | undefined)?.storages;
  if (typeof storages !== 'object' || storages === null) {
    throw new ConfigurationError('The factory of StorageModule.forRootAsync() must give { storages: { ... } }.');
  }
  checkMade(options);
  const made = Object.keys(storages);
  if (made.length === names.length && made.every((name) => names.includes(name))) return options;
  const quoted = (list: readonly string[]): string => list.map((name) => JSON.stringify(name)).join(', ') || 'none';
  throw new ConfigurationError(
    `The factory of StorageModule.forRootAsync() made other storages than 'names' announces. ` +
      `Announced: ${quoted(names)}. Made: ${quoted(made)}.`,
  );
}
