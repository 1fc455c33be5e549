import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { staticPartOf } from '../upload/resolve-upload-options.js';
import type { UploadOptions } from '../upload/index.js';
import { UploadErrorDto } from './error.dto.js';
import { uploadCodesOf, type UploadErrorStatus } from './upload-error-status.js';

const DESCRIPTIONS: Readonly<Record<UploadErrorStatus, string>> = {
  400: 'The form is malformed, has too many parts, or lacks a file that is required.',
  408: 'The client has sent nothing for too long.',
  409: 'There is a file under this key already.',
  412: 'The file is another version than was meant.',
  413: 'A file, or all of them together, are too large.',
  415: 'The request is no form, is encoded, or a file is of a type that is not taken, by its bytes.',
  422: 'A checksum does not match, or a file did not pass the scan.',
  500: 'The storage has failed.',
  503: 'The storage is not available at the moment.',
  504: 'The storage, or a check of the file, took too long.',
  507: 'There is no room for the file in the storage.',
};

/** What Nest answers where a pipe refuses the text fields. */
const REFUSED_BY_PIPE = {
  type: 'object',
  properties: {
    statusCode: { type: 'integer' },
    message: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    error: { type: 'string' },
  },
  required: ['statusCode', 'message'],
};

/** Without those that no upload of these options can have. What is only known for each request may happen. */
export function statusesOf(upload: UploadOptions | undefined): readonly UploadErrorStatus[] {
  const may: Record<UploadErrorStatus, boolean> = {
    400: true,
    408: true,
    409: true,
    // an interceptor puts no other condition than that a file is new
    412: false,
    413: true,
    415: true,
    422: true,
    // as any handler may: nobody documents it
    500: false,
    503: true,
    504: true,
    507: true,
  };
  if (upload !== undefined) {
    const known = staticPartOf(upload);
    const layers = [known, ...Object.values(known.fields ?? {})];
    const asked = typeof upload.fields === 'function';
    const isSaid = (option: 'key' | 'checksum' | 'scan'): boolean =>
      asked || option in upload || layers.some((layer) => layer[option] !== undefined);
    const replaces = known.overwrite === true && layers.every(({ overwrite }) => overwrite !== false);
    may[409] = isSaid('key') && !replaces;
    may[422] = isSaid('checksum') || isSaid('scan');
  }
  return (Object.keys(DESCRIPTIONS).map(Number) as UploadErrorStatus[]).filter((status) => may[status]);
}

/**
 * The answers of a refused or failed upload, with the body of an `UploadException`. `@ApiStorageFile()` and its fellows have it in them.
 *
 * @param statuses those that this route can have; default: all that the interceptors answer with
 * @example
 * @ApiUploadErrors([400, 413, 415])
 */
export function ApiUploadErrors(statuses = statusesOf(undefined), { piped = false } = {}): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(UploadErrorDto),
    ...statuses.map((status) => {
      const error = { $ref: getSchemaPath(UploadErrorDto) };
      // a pipe that refuses the text fields answers as Nest does
      const schema = piped && status === 400 ? { anyOf: [error, REFUSED_BY_PIPE] } : error;
      const codes = uploadCodesOf(status)
        .map((code) => `\`${code}\``)
        .join(', ');
      return ApiResponse({
        status,
        description: `${DESCRIPTIONS[status]} ${codes}`,
        content: { 'application/json': { schema } },
      });
    }),
  );
}
