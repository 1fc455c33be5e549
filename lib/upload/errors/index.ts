export * from './storage-failure.js';
export * from './upload-errors.js';
export * from './upload-exception.js';
