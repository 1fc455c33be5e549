export * from './base-storage.js';
export type { OpenedFile } from './deliver-stream.js';
export type { StagedBytes } from './staged-upload.js';
export type { DeleteOutcome } from './storage-hooks.js';
