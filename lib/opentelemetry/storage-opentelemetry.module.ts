import {
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { ConfigurationError } from '../contract/index.js';
import { settingsOf, type StorageTelemetryOptions } from './storage-instrumentation-config.js';
import { StorageInstrumentation } from './storage-instrumentation.js';

/** What {@link StorageOpenTelemetryModule} takes. */
export interface StorageOpenTelemetryOptions extends StorageTelemetryOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider | undefined;
}

/** What {@link StorageOpenTelemetryModule.forRootAsync} takes. */
export interface StorageOpenTelemetryAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly useFactory: FactoryProvider<StorageOpenTelemetryOptions>['useFactory'];
  readonly inject?: FactoryProvider<StorageOpenTelemetryOptions>['inject'];
}

/**
 * Tells OpenTelemetry of the calls of storages from the application's start to its shutdown. It starts no SDK and ends none.
 *
 * @throws ConfigurationError for an option that there is not, or that is of the wrong type
 * @example
 * imports: [StorageModule.forRoot({ storages }), StorageOpenTelemetryModule.forRoot()]
 */
@Module({})
export class StorageOpenTelemetryModule {
  static forRoot(options: StorageOpenTelemetryOptions = {}): DynamicModule {
    // at once, for what is wrong with the options
    instrumentationOf(options);
    // and for each application anew: the end of one is not that of another that is made of the same module
    return moduleOf({ provide: StorageInstrumentation, useFactory: () => instrumentationOf(options) });
  }

  /** Options that other providers know, such as a configuration service. */
  static forRootAsync({ imports, useFactory, inject }: StorageOpenTelemetryAsyncOptions): DynamicModule {
    const make = async (...args: unknown[]): Promise<StorageInstrumentation> =>
      instrumentationOf(await useFactory(...args));
    return {
      ...moduleOf({ provide: StorageInstrumentation, useFactory: make, ...(inject && { inject }) }),
      ...(imports && { imports }),
    };
  }
}

/** Global, so that it is initialised before any module that uses a storage when it starts. */
function moduleOf(provider: NonNullable<DynamicModule['providers']>[number]): DynamicModule {
  return {
    module: StorageOpenTelemetryModule,
    global: true,
    providers: [
      provider,
      {
        provide: InstrumentationLifecycle,
        useFactory: (instrumentation: StorageInstrumentation) => new InstrumentationLifecycle(instrumentation),
        inject: [StorageInstrumentation],
      },
    ],
    exports: [StorageInstrumentation],
  };
}

class InstrumentationLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #instrumentation: StorageInstrumentation;

  constructor(instrumentation: StorageInstrumentation) {
    this.#instrumentation = instrumentation;
  }

  onModuleInit(): void {
    this.#instrumentation.enable();
  }

  onApplicationShutdown(): void {
    this.#instrumentation.disable();
  }
}

function instrumentationOf(options: StorageOpenTelemetryOptions): StorageInstrumentation {
  const { spans, metrics, keys, reads } = settingsOf(options, ['tracerProvider', 'meterProvider']);
  const { tracerProvider, meterProvider } = options;
  const instrumentation = new StorageInstrumentation({ spans, metrics, keys, reads, enabled: false });
  if (tracerProvider !== undefined) {
    requireMethod('tracerProvider', tracerProvider, 'getTracer');
    instrumentation.setTracerProvider(tracerProvider);
  }
  if (meterProvider !== undefined) {
    requireMethod('meterProvider', meterProvider, 'getMeter');
    instrumentation.setMeterProvider(meterProvider);
  }
  return instrumentation;
}

function requireMethod(option: string, provider: unknown, method: string): void {
  const found = typeof provider === 'object' && provider !== null && method in provider;
  if (!found) {
    throw new ConfigurationError(
      `The option "${option}" of StorageOpenTelemetryModule must have the method ${method}().`,
    );
  }
}
