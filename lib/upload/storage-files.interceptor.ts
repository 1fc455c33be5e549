import type { NestInterceptor, Type } from '@nestjs/common';
import { receiveForm } from './request/receive-upload.js';
import { checkCount, checkFieldName } from './taken-field.js';
import { createUploadInterceptor } from './upload-interceptor.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams the files of one form field into a storage, as {@link StorageFileInterceptor} does one; `@UploadedFiles()` gives an array of
 * {@link StoredUpload}, in the order in which they were sent. All of them become visible, or none.
 *
 * @param field the name of the form's file field
 * @param maxCount how many files it takes at most; one more is answered 400. Default: no limit but those of the options.
 * @example
 * @Post()
 * @UseInterceptors(StorageFilesInterceptor('photos', 10, { allowedTypes: 'image/*' }))
 * upload(@UploadedFiles() photos: StoredUpload[]) {
 *   return photos.map(({ key }) => key);
 * }
 */
export function StorageFilesInterceptor(
  field: string,
  maxCount?: number,
  options: UploadOptions = {},
): Type<NestInterceptor> {
  const name = `StorageFilesInterceptor(${JSON.stringify(field)})`;
  return createUploadInterceptor(
    {
      name,
      fields: [{ name: checkFieldName('StorageFilesInterceptor', field), maxCount: checkCount(name, maxCount) }],
      bodies: 'multipart',
      receive: receiveForm,
      deliver: (carrier, uploads) => Object.assign(carrier, { files: uploads }),
    },
    options,
  );
}
