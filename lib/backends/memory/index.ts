export * from './memory-storage.js';
export type { MemoryStorageConfig } from './memory-storage-config.js';
