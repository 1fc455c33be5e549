import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { STORAGE_ERROR_STATUS } from '../module/storage-error-status.js';
import { CONDITIONS, PARTIAL, RANGES, REDIRECT, UNSATISFIED, VALIDATORS, WHOLE } from './download-headers.js';
import { StorageErrorDto } from './error.dto.js';
import { checkTypes } from './media-types.js';

export interface ApiStoredFileResponseOptions {
  /** The media types of the files. Default: any. */
  readonly types?: string | readonly string[] | undefined;
  /** Whether parts are described: 206, 416, and the headers of the request. Default true; `storedFile()` gives them always. */
  readonly ranges?: boolean | undefined;
  /** Whether conditions are described: 304, 412, and the headers of the request. Default true; `storedFile()` heeds them always. */
  readonly conditions?: boolean | undefined;
  /** For `storedFile({ redirect })`: 302 to a URL of the storage's own, in place of the file. Default false. */
  readonly redirect?: boolean | undefined;
  readonly description?: string | undefined;
}

const BINARY = { type: 'string', format: 'binary' } as const;

const ERRORS = {
  400: 'What was asked for cannot be a key.',
  404: 'There is no such file.',
  503: 'The storage is not available at the moment.',
  504: 'The storage took too long.',
} as const;

/**
 * Describes a route that answers with `storedFile()`: the file, its parts, what a cache is told, and every failure.
 *
 * @throws ConfigurationError at the decorator, for what is no media type
 * @example
 * @Get(':key')
 * @ApiStoredFileResponse({ types: 'image/*' })
 * download(@Param('key') key: string) {
 *   return storedFile(this.avatars, key);
 * }
 */
export function ApiStoredFileResponse(options: ApiStoredFileResponseOptions = {}): MethodDecorator {
  const { types = '*/*', ranges = true, conditions = true, redirect = false, description = 'The file.' } = options;
  const content = Object.fromEntries(
    checkTypes('@ApiStoredFileResponse()', types).map((type) => [type, { schema: BINARY }] as const),
  );
  const decorators: (MethodDecorator & ClassDecorator)[] = [ApiExtraModels(StorageErrorDto)];
  if (redirect) {
    decorators.push(
      ApiResponse({ status: 302, description: `${description} It is at another URL.`, headers: REDIRECT }),
    );
  } else {
    decorators.push(ApiResponse({ status: 200, description, headers: WHOLE, content }));
    if (ranges) decorators.push(...parts(content));
    if (conditions) decorators.push(...conditional());
  }
  for (const status of [400, 404, 503, 504] as const) decorators.push(error(status, ERRORS[status]));
  return applyDecorators(...decorators, ...(redirect ? [] : requestHeaders(ranges, conditions)));
}

function parts(content: object): (MethodDecorator & ClassDecorator)[] {
  return [
    ApiResponse({
      status: 206,
      description: 'The part that was asked for; several of them as multipart/byteranges.',
      headers: PARTIAL,
      content: { ...content, 'multipart/byteranges': { schema: BINARY } },
    }),
    error(416, 'No part that was asked for is in the file.', UNSATISFIED),
  ];
}

function conditional(): (MethodDecorator & ClassDecorator)[] {
  return [
    ApiResponse({ status: 304, description: 'The client has this version already.', headers: VALIDATORS }),
    error(412, 'The file is another version than the request names.'),
  ];
}

function error(status: number, description: string, headers: object = {}): MethodDecorator & ClassDecorator {
  const codes = Object.entries(STORAGE_ERROR_STATUS).flatMap(([code, each]) =>
    each === status ? [`\`${code}\``] : [],
  );
  return ApiResponse({
    status,
    description: `${description} ${codes.join(', ')}`,
    ...(Object.keys(headers).length === 0 ? undefined : { headers: { ...headers } }),
    content: { 'application/json': { schema: { $ref: getSchemaPath(StorageErrorDto) } } },
  });
}

function requestHeaders(ranges: boolean, conditions: boolean): MethodDecorator[] {
  const described = { ...(conditions ? CONDITIONS : undefined), ...(ranges ? RANGES : undefined) };
  return Object.entries(described).map(([name, description]) =>
    ApiHeader({ name, required: false, description, schema: { type: 'string' } }),
  );
}
