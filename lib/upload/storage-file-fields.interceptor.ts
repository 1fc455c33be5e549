import type { NestInterceptor, Type } from '@nestjs/common';
import { receiveForm } from './request/receive-upload.js';
import type { PendingUpload } from './stored-upload.js';
import { checkFields, type StorageFileField } from './taken-field.js';
import { createUploadInterceptor } from './upload-interceptor.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams the files of several form fields into a storage, or each field into one of its own: see {@link UploadOptions.fields}.
 * `@UploadedFiles()` gives an object with an array of {@link StoredUpload} for each field that had any. The request is one unit across all of
 * them.
 *
 * @example
 * @Post()
 * @UseInterceptors(
 *   StorageFileFieldsInterceptor([{ name: 'avatar', maxCount: 1 }, { name: 'documents' }], {
 *     fields: { avatar: { storage: 'avatars', allowedTypes: 'image/*' } },
 *   }),
 * )
 * upload(@UploadedFiles() files: { avatar?: StoredUpload[]; documents?: StoredUpload[] }) {
 *   return { avatar: files.avatar?.[0]?.key };
 * }
 */
export function StorageFileFieldsInterceptor(
  fields: readonly StorageFileField[],
  options: UploadOptions = {},
): Type<NestInterceptor> {
  const taken = checkFields('StorageFileFieldsInterceptor', fields);
  const names = taken.map(({ name }) => JSON.stringify(name)).join(', ');
  return createUploadInterceptor(
    {
      name: `StorageFileFieldsInterceptor(${names})`,
      fields: taken,
      contentType: 'multipart/form-data',
      receive: receiveForm,
      deliver: (carrier, uploads) => Object.assign(carrier, { files: uploads && byField(uploads) }),
    },
    options,
  );
}

function byField(uploads: readonly PendingUpload[]): Record<string, PendingUpload[]> {
  // without a prototype: a field may be named `constructor`
  const files = Object.create(null) as Record<string, PendingUpload[]>;
  for (const upload of uploads) (files[upload.fieldname] ??= []).push(upload);
  return files;
}
