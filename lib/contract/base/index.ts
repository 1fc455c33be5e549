export * from './base-storage.js';
export type { OpenedFile } from './deliver-stream.js';
export type { StagedBytes } from './staged-upload.js';
export type { DeleteOutcome, StorageHooks } from './storage-hooks.js';
export { signUrls, type UrlSigner } from './url-signer.js';
export { STORAGE_OPERATIONS, type Surround, type TracedOperation } from './operation-channel.js';
