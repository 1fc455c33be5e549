import type { NestInterceptor, Type } from '@nestjs/common';
import { receiveForm } from './request/receive-upload.js';
import { createUploadInterceptor } from './upload-interceptor.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams every file of a form into a storage, whatever field it is in; `@UploadedFiles()` gives an array of {@link StoredUpload}. `fields` in
 * the options says what holds for some of them. Bound it by `limits`: `files`, `fileSize`, `totalSize`.
 *
 * @example
 * @Post()
 * @UseInterceptors(AnyStorageFilesInterceptor({ limits: { files: 20, totalSize: 100 * 1024 * 1024 } }))
 * upload(@UploadedFiles() files: StoredUpload[]) {
 *   return files.map(({ fieldname, key }) => ({ fieldname, key }));
 * }
 */
export function AnyStorageFilesInterceptor(options: UploadOptions = {}): Type<NestInterceptor> {
  return createUploadInterceptor(
    {
      name: 'AnyStorageFilesInterceptor',
      fields: 'any',
      contentType: 'multipart/form-data',
      receive: receiveForm,
      deliver: (carrier, uploads) => Object.assign(carrier, { files: uploads }),
    },
    options,
  );
}
