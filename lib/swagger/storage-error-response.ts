import { ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { STORAGE_ERROR_STATUS } from '../module/storage-error-status.js';
import { StorageErrorDto } from './error.dto.js';

export const BINARY = { type: 'string', format: 'binary' } as const;

const ERRORS = {
  400: 'What was asked for cannot be a key.',
  404: 'There is no such file.',
  503: 'The storage is not available at the moment.',
  504: 'The storage took too long.',
} as const;

/** What may go wrong wherever a stored file is read. */
export function failedReading(): (MethodDecorator & ClassDecorator)[] {
  return ([400, 404, 503, 504] as const).map((status) => storageError(status, ERRORS[status]));
}

/** A status with which storage errors are answered. */
export function storageError(
  status: number,
  description: string,
  headers: object = {},
): MethodDecorator & ClassDecorator {
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
