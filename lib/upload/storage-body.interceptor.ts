import type { NestInterceptor, Type } from '@nestjs/common';
import { BODY_FIELD } from './request/body-receiver.js';
import { receiveBody } from './request/receive-upload.js';
import { createUploadInterceptor } from './upload-interceptor.js';
import type { UploadOptions } from './upload-options.js';

/**
 * Streams the body of a request as it is into one object: a PUT with any content type, with or without a length. `@UploadedFile()` gives the
 * {@link StoredUpload}; its `fieldname` is `body`, its `originalname` the one of a `Content-Disposition` header, if there is one.
 *
 * Bodies that the application parses itself, JSON and URL-encoded forms unless it is told otherwise (on Fastify plain text too), are answered
 * 415 with a message that names the setting. On Fastify other content types that no parser is registered for reach every handler of the application unread, as they do on
 * Express.
 *
 * @example
 * @Put(':name')
 * @UseInterceptors(StorageBodyInterceptor({ key: (_file, context) => nameIn(context), overwrite: true }))
 * put(@UploadedFile() file: PendingUpload) {
 *   return { key: file.key, size: file.size };
 * }
 */
export function StorageBodyInterceptor(options: UploadOptions = {}): Type<NestInterceptor> {
  return createUploadInterceptor(
    {
      name: 'StorageBodyInterceptor',
      fields: [{ name: BODY_FIELD, maxCount: 1 }],
      bodies: 'every',
      receive: receiveBody,
      deliver: (carrier, uploads) => Object.assign(carrier, { file: uploads?.[0] }),
    },
    options,
  );
}
