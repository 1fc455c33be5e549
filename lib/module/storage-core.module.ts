import { Catch, Global, Injectable, Module, type ExceptionFilter, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { StorageRegistry } from '../registry/index.js';
import { passWantedForms } from '../upload/platform/fastify-parsers.js';
import { StorageExceptionFilter } from './storage-exception.filter.js';
import { StorageLifecycle } from './storage-lifecycle.js';
import { defaultNameIn, namesIn, registrationsOf } from './storage-registration.js';
import { UploadDefaultsHolder } from './upload-defaults-holder.js';

/** Stands in for the filter where it is turned off: nothing is ever an instance of what it catches. */
class NothingThrown {}

@Catch(NothingThrown)
class NoExceptionFilter implements ExceptionFilter {
  catch(): void {
    // never called
  }
}

/** See {@link passWantedForms}. */
@Injectable()
class UploadPlatform implements OnApplicationBootstrap {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    passWantedForms(this.adapterHost);
  }
}

/**
 * What an application has once, however many registrations there are. Global, so that Nest runs its hooks before those of other modules at the
 * start, and after them at the end.
 */
@Global()
@Module({
  providers: [
    UploadPlatform,
    {
      provide: StorageRegistry,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) => new StorageRegistry(defaultNameIn(registrationsOf(modules))),
    },
    {
      provide: StorageLifecycle,
      inject: [StorageRegistry, ModulesContainer],
      useFactory: (registry: StorageRegistry, modules: ModulesContainer) =>
        new StorageLifecycle(registry, namesIn(registrationsOf(modules))),
    },
    {
      provide: UploadDefaultsHolder,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) => new UploadDefaultsHolder(registrationsOf(modules)),
    },
    {
      provide: APP_FILTER,
      inject: [ModulesContainer, HttpAdapterHost],
      useFactory: (modules: ModulesContainer, adapterHost: HttpAdapterHost): ExceptionFilter =>
        registrationsOf(modules).every(({ exceptionFilter }) => exceptionFilter)
          ? new StorageExceptionFilter(adapterHost)
          : new NoExceptionFilter(),
    },
  ],
  exports: [StorageRegistry, StorageLifecycle, UploadDefaultsHolder],
})
export class StorageCoreModule {}
