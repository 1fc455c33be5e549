import { Module, type DynamicModule } from '@nestjs/common';
import { wildcardRoute } from '../platform/wildcard-path.js';
import { serveStorageController, WILDCARD } from './serve-storage.controller.js';
import type { ServeStorageOptions } from './serve-storage-options.interface.js';
import { StorageCoreModule } from './storage-core.module.js';
import { registrationProvider } from './storage-registration.js';

/** The module of one call of `StorageModule.serveStorage()`. */
@Module({})
export class ServeStorageModule {
  static of(options: ServeStorageOptions): DynamicModule {
    // with an index file, the path itself is one of the files
    const route = wildcardRoute(WILDCARD, ...(options.index === undefined ? [] : ['']));
    return {
      module: ServeStorageModule,
      imports: [StorageCoreModule, ...(options.imports ?? [])],
      controllers: [serveStorageController(options, route)],
      providers: [registrationProvider({ names: [], exceptionFilter: true, wildcards: [route] })],
    };
  }
}
