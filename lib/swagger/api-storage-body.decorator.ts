import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader } from '@nestjs/swagger';
import { checkUploadOptions, staticPartOf } from '../upload/resolve-upload-options.js';
import type { UploadOptions } from '../upload/index.js';
import { checksumHeader } from './checksum-description.js';
import { boundsOf } from './file-schema.js';
import { checkTypes } from './media-types.js';
import { SuccessResponse, type ResponseModel } from './success-response.decorator.js';
import type { UploadErrorStatus } from './upload-error-status.js';
import { ApiUploadErrors, statusesOf } from './upload-errors.decorator.js';

export interface ApiStorageBodyOptions {
  /** The content types that a client sends. Default `application/octet-stream`; the interceptor takes any that the application does not parse. */
  readonly types?: string | readonly string[] | undefined;
  /** The options of the interceptor: the same object. See `@ApiStorageFile()`. */
  readonly upload?: UploadOptions | undefined;
  /** Default: as `upload` says, else false. */
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
  /** The class of the JSON that the handler answers with. */
  readonly response?: ResponseModel | undefined;
  /** Which refusals are described. Default: those that these options can have; `[]` describes none. */
  readonly errors?: readonly UploadErrorStatus[] | undefined;
}

/**
 * Describes a route with `StorageBodyInterceptor`: the body is the file.
 *
 * @throws ConfigurationError at the decorator, for an option that cannot be meant
 * @example
 * @Put(':name')
 * @ApiStorageBody({ types: ['application/pdf', 'image/png'], response: PendingUploadDto })
 * @UseInterceptors(StorageBodyInterceptor({ key: nameOf, overwrite: true }))
 */
export function ApiStorageBody(options: ApiStorageBodyOptions = {}): MethodDecorator {
  const { types = 'application/octet-stream', upload, response, errors } = options;
  if (upload !== undefined) checkUploadOptions('upload of the decorator', upload);
  const known = staticPartOf(upload ?? {});
  const description = [options.description, boundsOf(known)].filter((part) => part !== undefined && part !== '');
  return applyDecorators(
    ApiConsumes(...checkTypes('@ApiStorageBody()', types)),
    ApiBody({
      schema: { type: 'string', format: 'binary' },
      required: options.required ?? known.required ?? false,
      ...(description.length === 0 ? undefined : { description: description.join(' ') }),
    }),
    ApiHeader({
      name: 'Content-Disposition',
      required: false,
      description: 'The name of the file: `attachment; filename="plan.pdf"` (RFC 6266).',
      schema: { type: 'string' },
    }),
    ...checksumHeader(upload),
    SuccessResponse(response),
    ApiUploadErrors(errors ?? statusesOf(upload)),
  );
}
