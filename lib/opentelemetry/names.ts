/** The scope of our spans and metrics. */
export const SCOPE_NAME = 'nestjs-storages';

/** As in package.json. */
export const SCOPE_VERSION = '0.1.0';

/**
 * What OpenTelemetry's conventions have no name for. In a namespace of our own, as they ask of names that are not theirs
 * (https://opentelemetry.io/docs/specs/semconv/general/naming/): the conventions know object stores only as requests of the AWS SDK, and `aws.s3.*`
 * belongs to the spans of those.
 */
export const ATTRIBUTE = {
  storage: 'nestjs_storages.storage',
  operation: 'nestjs_storages.operation',
  key: 'nestjs_storages.key',
  bytes: 'nestjs_storages.bytes',
  items: 'nestjs_storages.items',
  deleted: 'nestjs_storages.deleted',
  failed: 'nestjs_storages.failed',
  complete: 'nestjs_storages.read.complete',
  direction: 'nestjs_storages.io.direction',
  /** Of the conventions, stable: https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ */
  errorType: 'error.type',
} as const;

export const METRIC = {
  duration: 'nestjs_storages.operation.duration',
  active: 'nestjs_storages.active_operations',
  io: 'nestjs_storages.io',
} as const;

/**
 * In seconds: those that the conventions advise for `db.client.operation.duration`
 * (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/), and three more, since an upload may take minutes.
 */
export const DURATION_BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
