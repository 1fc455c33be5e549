import type { FactoryProvider, InjectionToken, ModuleMetadata, Type } from '@nestjs/common';
import type { KeyMode, Storage } from '../contract/index.js';
import type { ServeOptions, ServeRoute, ServeSettings } from '../signing/index.js';
import type { ShutdownOptions } from '../shutdown/index.js';
import type { UploadDefaults } from '../upload/index.js';

/** The modules whose providers a factory or class injects. */
export type StorageImports = Pick<ModuleMetadata, 'imports'>;

/** A storage that is made at start-up, of other providers. */
export interface StorageFactory extends StorageImports {
  readonly useFactory: FactoryProvider<Storage>['useFactory'];
  readonly inject?: FactoryProvider<Storage>['inject'];
}

/** A storage of a class whose dependencies Nest injects. */
export interface StorageClass extends StorageImports {
  readonly useClass: Type<Storage>;
}

/** A storage that is a provider already. */
export interface ExistingStorage extends StorageImports {
  readonly useExisting: InjectionToken;
}

/** How a storage comes about. What is made or taken over is opened at start-up and closed at shutdown, as an instance is. */
export type StorageDefinition = Storage | StorageFactory | StorageClass | ExistingStorage;

/** What both ways of registering say at once, before any factory has run. */
export interface StorageModuleSettings {
  /**
   * The name of the storage that `@InjectStorage()` and the class `Storage` stand for. May be left out where there is one storage; `false`
   * says that there is none.
   */
  readonly default?: string | false | undefined;
  /** Whether every module can inject the storages. Default true. */
  readonly isGlobal?: boolean | undefined;
  /** Whether storage errors are answered by `StorageExceptionFilter`. Default true; one `false` turns it off for the application. */
  readonly exceptionFilter?: boolean | undefined;
}

/** What `StorageModule.forRoot()` takes. */
export interface StorageModuleOptions extends StorageModuleSettings {
  /** The storages by name. */
  readonly storages: Readonly<Record<string, StorageDefinition>>;
  /** What every upload of the application is told, below what its interceptor says. Given once in an application. */
  readonly upload?: UploadDefaults | undefined;
  /** Signed URLs for the storages that sign none themselves, and the routes that honour them. Given once in an application. */
  readonly serve?: ServeOptions | undefined;
  /** How the application ends while uploads and downloads are under way. Given once in an application. */
  readonly shutdown?: ShutdownOptions | undefined;
}

/** What the factory of `StorageModule.forRootAsync()` makes. */
export interface StorageOptions {
  /** The storages by name: exactly the `names` that were announced. */
  readonly storages: Readonly<Record<string, Storage>>;
  /** As in {@link StorageModuleOptions}. */
  readonly upload?: UploadDefaults | undefined;
  /** What signs URLs, where `serve` beside `names` says where their routes lie. */
  readonly serve?: ServeSettings | undefined;
  /** As in {@link StorageModuleOptions}. */
  readonly shutdown?: ShutdownOptions | undefined;
}

/** What a class for `useClass` or `useExisting` of `StorageModule.forRootAsync()` implements. */
export interface StorageOptionsFactory {
  createStorageOptions(): StorageOptions | Promise<StorageOptions>;
}

/** What `StorageModule.forRootAsync()` takes: the names, and one of `useFactory`, `useClass` and `useExisting`. */
export interface StorageModuleAsyncOptions extends StorageModuleSettings, StorageImports {
  /** The names of the storages. They are known before the factory runs, so that a wrong one is found at start-up. */
  readonly names: readonly string[];
  /** Where the routes of signed URLs lie; the factory gives the rest. `{}` takes the defaults. */
  readonly serve?: ServeRoute | undefined;
  readonly useFactory?: FactoryProvider<StorageOptions>['useFactory'];
  readonly useClass?: Type<StorageOptionsFactory>;
  readonly useExisting?: InjectionToken<StorageOptionsFactory>;
  /** The dependencies of `useFactory`. */
  readonly inject?: FactoryProvider<StorageOptions>['inject'];
  /** More providers for the factory, seen only by it. */
  readonly extraProviders?: ModuleMetadata['providers'];
}

/** A view of a storage under a prefix. Its files are files of that storage; it is not closed for itself. */
export interface StorageView {
  readonly name: string;
  /** The name of the storage that has the files. Default: the default storage. */
  readonly storage?: string | undefined;
  /** What the keys of the view begin with in that storage, such as `avatars/`. */
  readonly prefix: string;
  /** What becomes of a key that is not canonical. Default: as in that storage. */
  readonly keys?: KeyMode | undefined;
}

/** What `StorageModule.forFeature()` takes: views, and storages of the feature's own. */
export type FeatureStorage =
  StorageView | { readonly name: string; readonly useValue: Storage } | ({ readonly name: string } & StorageFactory);
