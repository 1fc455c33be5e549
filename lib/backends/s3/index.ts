export { S3Storage } from './s3-storage.js';
export type { S3Conditions, S3StorageConfig, S3Timeouts } from './s3-storage-config.js';
export type { SweepOptions, SweepReport } from './sweep.js';
