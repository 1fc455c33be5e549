import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { CONDITIONS, PARTIAL, RANGES, REDIRECT, UNSATISFIED, VALIDATORS, WHOLE } from './download-headers.js';
import { StorageErrorDto } from './error.dto.js';
import { checkTypes } from './media-types.js';
import { BINARY, failedReading, storageError as error } from './storage-error-response.js';

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
  return applyDecorators(...decorators, ...failedReading(), ...(redirect ? [] : requestHeaders(ranges, conditions)));
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

function requestHeaders(ranges: boolean, conditions: boolean): MethodDecorator[] {
  const described = { ...(conditions ? CONDITIONS : undefined), ...(ranges ? RANGES : undefined) };
  return Object.entries(described).map(([name, description]) =>
    ApiHeader({ name, required: false, description, schema: { type: 'string' } }),
  );
}
