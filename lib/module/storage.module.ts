import { Module, type DynamicModule } from '@nestjs/common';
import { featureMetadata } from './feature-module.js';
import { asyncRootMetadata, rootMetadata } from './root-module.js';
import type {
  FeatureStorage,
  StorageModuleAsyncOptions,
  StorageModuleOptions,
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
   * Gives the importing module views of registered storages, and storages of its own. Their names are unique in the application, as all are.
   * Where two modules need one, the same object goes into `imports` of both.
   *
   * @example
   * StorageModule.forFeature([
   *   { name: 'avatars', storage: 'uploads', prefix: 'avatars/' },
   *   { name: 'drafts', useValue: new MemoryStorage() },
   * ])
   */
  static forFeature(storages: readonly FeatureStorage[]): DynamicModule {
    return { module: StorageModule, ...featureMetadata(storages) };
  }
}
