export * from './inject-storage.decorator.js';
export * from './storage-registry.js';
export { getStorageToken } from './storage-token.js';
