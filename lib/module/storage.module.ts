import { Module, type DynamicModule } from '@nestjs/common';
import { checkFeatures } from './check-module-options.js';
import { featureMetadata } from './feature-module.js';
import { asyncRootMetadata, rootMetadata } from './root-module.js';
import { ServeStorageModule } from './serve-storage.module.js';
import type { ServeStorageOptions } from './serve-storage-options.interface.js';
import type {
  FeatureStorage,
  StorageModuleAsyncOptions,
  StorageModuleOptions,
  StorageView,
} from './storage-module-options.interface.js';

/**
 * Named storages by dependency injection. They are opened when the application starts, and each is closed once when it ends, after its last
 * request. A name that is not known, is given twice or stands for something that is no storage fails the start.
 */
@Module({})
export class StorageModule {
  /**
   * Registers storages. A second call adds its own. An instance is injected as it is, and belongs to the application, which closes it.
   *
   * @example
   * StorageModule.forRoot({
   *   default: 'uploads',
   *   storages: {
   *     uploads: new FileSystemStorage({ root: './var/uploads' }),
   *     drafts: { useFactory: (config: ConfigService) => new MemoryStorage(config.get('drafts')), inject: [ConfigService] },
   *   },
   * })
   */
  static forRoot(options: StorageModuleOptions): DynamicModule {
    return { module: StorageModule, ...rootMetadata(options) };
  }

  /**
   * Registers storages that one factory makes. Their names are said beforehand.
   *
   * @example
   * StorageModule.forRootAsync({
   *   names: ['uploads'],
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({
   *     storages: { uploads: new FileSystemStorage({ root: config.getOrThrow('UPLOADS') }) },
   *   }),
   * })
   */
  static forRootAsync(options: StorageModuleAsyncOptions): DynamicModule {
    return { module: StorageModule, ...asyncRootMetadata(options) };
  }

  /**
   * Gives the importing module views of registered storages, and storages of its own. Their names are unique in the application, as all are;
   * modules that ask for the same view (all four the same) share it. Where two modules need a storage of its own, the same object goes into
   * `imports` of both.
   *
   * @example
   * StorageModule.forFeature([
   *   { name: 'avatars', storage: 'uploads', prefix: 'avatars/' },
   *   { name: 'drafts', useValue: new MemoryStorage() },
   * ])
   */
  static forFeature(storages: readonly FeatureStorage[]): DynamicModule {
    checkFeatures(storages);
    const own = new Set(storages.filter((storage) => !('prefix' in storage)).map(({ name }) => name));
    const isShared = (storage: FeatureStorage): storage is StorageView =>
      'prefix' in storage &&
      (storage.storage === undefined || !own.has(storage.storage)) &&
      // a name that this very call gives twice is to fail
      storages.filter(({ name }) => name === storage.name).length === 1;
    const views = storages.filter(isShared).map(sharedView);
    const { imports, providers, exports } = featureMetadata(storages.filter((storage) => !isShared(storage)));
    return { module: StorageModule, imports: [...imports, ...views], providers, exports: [...exports, ...views] };
  }

  /**
   * Serves the files of a registered storage, or those under a prefix of it, to GET and HEAD below a path, each as `storedFile` answers. It is a
   * controller of Nest: `guards` protect it, global guards, interceptors and filters and the global prefix hold for it, and versioning does not.
   * What is not there, cannot be a key or lies outside the prefix is 404; there are no listings.
   *
   * @example
   * StorageModule.serveStorage({ path: 'photos', storage: 'uploads', prefix: 'photos/', guards: [MembersGuard], imports: [MembersModule] })
   */
  static serveStorage(options: ServeStorageOptions): DynamicModule {
    return ServeStorageModule.of(options);
  }
}

/** Views by what they are. Nest tells dynamic modules apart by reference: the same object in two modules is one module, with one view. */
const sharedViews = new Map<string, DynamicModule>();

function sharedView(view: StorageView): DynamicModule {
  const { name, storage, prefix, keys } = view;
  const key = JSON.stringify([name, storage, prefix, keys]);
  const shared = sharedViews.get(key) ?? { module: StorageModule, ...featureMetadata([view]) };
  sharedViews.set(key, shared);
  return shared;
}
