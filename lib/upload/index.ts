export * from './stored-upload.js';
export * from './upload-defaults.js';
export * from './upload-options.js';
export * from './storage-file.interceptor.js';
export { UploadException, type UploadErrorCode } from './errors/index.js';
