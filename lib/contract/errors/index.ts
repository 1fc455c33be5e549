export * from './errors.js';
export * from './storage-error.js';
