import {
  Catch,
  Global,
  Inject,
  Injectable,
  Module,
  type ExceptionFilter,
  type NestModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { Server } from 'node:http';
import {
  APP_FILTER,
  APP_INTERCEPTOR,
  DiscoveryModule,
  DiscoveryService,
  HttpAdapterHost,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import { StoredFileInterceptor } from '../download/index.js';
import { settleWildcard } from '../platform/wildcard-path.js';
import { findListeners } from '../events/find-listeners.js';
import { StorageEvents } from '../events/storage-events.js';
import { StorageRegistry } from '../registry/index.js';
import { RequestDrain } from '../shutdown/request-drain.js';
import { passWantedForms } from '../upload/platform/fastify-parsers.js';
import { StorageExceptionFilter } from './storage-exception.filter.js';
import { SigningHolder } from './signing-holder.js';
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

/** Lets uploads and downloads end before the application does. */
@Injectable()
class TransfersEnd implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(RequestDrain) private readonly drain: RequestDrain,
    @Inject(StorageEvents) private readonly events: StorageEvents,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const { httpAdapter } = this.adapterHost as Partial<HttpAdapterHost>;
    // an application without HTTP has no server
    this.drain.watch(httpAdapter?.getHttpServer() as Server | undefined);
    this.drain.waitFor((milliseconds) => this.events.whenIdle(milliseconds));
  }

  onApplicationBootstrap(): void {
    this.events.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.drain.drain();
  }
}

/**
 * What an application has once, however many registrations there are. Global, so that Nest runs its hooks before those of other modules at the
 * start, and after them at the end.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    UploadPlatform,
    TransfersEnd,
    { provide: RequestDrain, useFactory: () => new RequestDrain() },
    SigningHolder,
    { provide: APP_INTERCEPTOR, useClass: StoredFileInterceptor },
    {
      provide: StorageRegistry,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) => new StorageRegistry(defaultNameIn(registrationsOf(modules))),
    },
    {
      provide: StorageLifecycle,
      inject: [StorageRegistry, ModulesContainer, SigningHolder, StorageEvents, RequestDrain],
      useFactory: (
        registry: StorageRegistry,
        modules: ModulesContainer,
        signing: SigningHolder,
        events: StorageEvents,
        drain: RequestDrain,
      ) => new StorageLifecycle(registry, namesIn(registrationsOf(modules)), { signing, events, drain }),
    },
    {
      provide: StorageEvents,
      inject: [StorageRegistry, DiscoveryService, MetadataScanner],
      useFactory: (registry: StorageRegistry, discovery: DiscoveryService, scanner: MetadataScanner) =>
        new StorageEvents(registry, () => findListeners(discovery, scanner, registry.names())),
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
  exports: [StorageRegistry, StorageLifecycle, UploadDefaultsHolder, SigningHolder, RequestDrain],
})
export class StorageCoreModule implements NestModule {
  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Nest calls it when it knows the platform, and has made no route yet. */
  configure(): void {
    for (const { wildcards = [] } of registrationsOf(this.modules)) {
      for (const route of wildcards) settleWildcard(route, this.adapterHost.httpAdapter);
    }
  }
}
