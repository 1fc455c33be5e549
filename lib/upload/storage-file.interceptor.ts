import type { NestInterceptor, Type } from '@nestjs/common';
import { receiveForm } from './request/receive-upload.js';
import { checkFieldName } from './taken-field.js';
import { createUploadInterceptor } from './upload-interceptor.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams the file of one form field into a storage, and gives the handler a {@link StoredUpload}.
 *
 * It is used as Nest's `FileInterceptor` is: `@UploadedFile()` gives the file, `@Body()` the text fields, and pipes such as
 * `ParseFilePipe` work, on Express and on Fastify. The bytes go from the socket to the storage as fast as it takes them: no temporary
 * file, no whole file in memory. The request is a unit: the file becomes visible only when all of the form has arrived and was found good,
 * and nothing of it stays when a pipe refuses, the handler fails or the client goes away (see {@link UploadOptions.commit}).
 *
 * A request that is no form reaches the handler without a file, unless `required` is set; one with another `multipart/` type is
 * answered 415. Failures are answered with multer's codes: see {@link UploadException}.
 *
 * Node ends a request that takes longer than `server.requestTimeout`, 300 seconds unless set otherwise, with a 408. Where large files
 * come over slow lines, raise it: `app.getHttpServer().requestTimeout = 60 * 60 * 1000`.
 *
 * @param field the name of the form's file field
 * @example
 * @Post()
 * @UseInterceptors(StorageFileInterceptor('avatar', { storage: 'avatars', limits: { fileSize: 5 * 1024 * 1024 } }))
 * upload(@UploadedFile() avatar: StoredUpload, @Body() body: { caption?: string }) {
 *   return { key: avatar.key, size: avatar.size, caption: body.caption };
 * }
 */
export function StorageFileInterceptor(field: string, options: UploadOptions = {}): Type<NestInterceptor> {
  return createUploadInterceptor(
    {
      name: `StorageFileInterceptor(${JSON.stringify(field)})`,
      fields: [{ name: checkFieldName('StorageFileInterceptor', field), maxCount: 1 }],
      bodies: 'multipart',
      receive: receiveForm,
      // also when there is none: @fastify/multipart has methods of these names
      deliver: (carrier, uploads) => Object.assign(carrier, { file: uploads?.[0] }),
    },
    options,
  );
}
