export { ApiArchiveResponse, type ApiArchiveResponseOptions } from './api-archive-response.decorator.js';
export { ApiStorageBody, type ApiStorageBodyOptions } from './api-storage-body.decorator.js';
export {
  ApiStorageFile,
  ApiStorageFileFields,
  ApiStorageFiles,
  type ApiStorageFileField,
  type ApiStorageFileFieldsOptions,
  type ApiStorageFileOptions,
  type ApiStorageFilesOptions,
} from './api-storage-file.decorator.js';
export { ApiStoredFileResponse, type ApiStoredFileResponseOptions } from './api-stored-file-response.decorator.js';
export { StorageErrorDto, UploadErrorDto } from './error.dto.js';
export { PendingUploadDto, StoredFileDto, StoredUploadDto } from './stored-file.dto.js';
export type { ResponseModel } from './success-response.decorator.js';
export type { UploadErrorStatus } from './upload-error-status.js';
export { ApiUploadErrors } from './upload-errors.decorator.js';
