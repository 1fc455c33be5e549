export * from './storage-health.indicator.js';
export * from './storage-health.module.js';
export type {
  CheckAllOptions,
  StorageHealthMode,
  StorageHealthOptions,
  StorageHealthReport,
} from './storage-health-options.js';
