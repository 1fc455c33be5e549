export * from './storage-error-status.js';
export * from './storage-exception.filter.js';
export * from './storage-module-options.interface.js';
export * from './storage.module.js';
export * from './serve-storage-options.interface.js';
