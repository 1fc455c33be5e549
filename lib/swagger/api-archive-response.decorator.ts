import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse } from '@nestjs/swagger';
import { StorageErrorDto } from './error.dto.js';
import { BINARY, failedReading } from './storage-error-response.js';

export interface ApiArchiveResponseOptions {
  /** Of the answer that succeeds. Default 200; a handler for POST answers 201, unless it has `@HttpCode(200)`. */
  readonly status?: number | undefined;
  readonly description?: string | undefined;
}

const HEADERS = {
  'Content-Disposition': { description: 'Its name.', schema: { type: 'string' } },
  'Cache-Control': { description: 'What a cache may do with it.', schema: { type: 'string' } },
} as const;

/**
 * Describes a route that answers with `archive()`: the zip, and every failure before its first byte. There are no parts and no conditions of it.
 *
 * @example
 * @Get('reports.zip')
 * @ApiArchiveResponse()
 * reports() {
 *   return archive(this.files, 'reports/');
 * }
 */
export function ApiArchiveResponse(options: ApiArchiveResponseOptions = {}): MethodDecorator {
  const { status = 200, description = 'The files, as a zip.' } = options;
  return applyDecorators(
    ApiExtraModels(StorageErrorDto),
    ApiResponse({ status, description, headers: { ...HEADERS }, content: { 'application/zip': { schema: BINARY } } }),
    ...failedReading(),
  );
}
