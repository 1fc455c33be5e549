/** `nestjs-storages/opentelemetry`: needs `@opentelemetry/api`, which an application with the SDK has. */
export type { StorageInstrumentationConfig, StorageTelemetryOptions } from './storage-instrumentation-config.js';
export { StorageInstrumentation } from './storage-instrumentation.js';
export {
  StorageOpenTelemetryModule,
  type StorageOpenTelemetryAsyncOptions,
  type StorageOpenTelemetryOptions,
} from './storage-opentelemetry.module.js';
