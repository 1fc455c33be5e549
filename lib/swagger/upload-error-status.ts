import type { UploadErrorCode } from '../upload/index.js';

/** Codes of signed URLs alone: no interceptor answers with them. */
type OfOtherRoutes = 'PARTIAL_PUT';

/** A status that an upload interceptor answers with. */
export type UploadErrorStatus = 400 | 408 | 409 | 412 | 413 | 415 | 422 | 500 | 503 | 504 | 507;

/** The status of each refusal of an upload interceptor. */
const UPLOAD_ERROR_STATUS = {
  LIMIT_FILE_COUNT: 400,
  LIMIT_PART_COUNT: 400,
  LIMIT_FIELD_COUNT: 400,
  LIMIT_FIELD_KEY: 400,
  LIMIT_FIELD_VALUE: 400,
  LIMIT_UNEXPECTED_FILE: 400,
  LIMIT_FIELD_NESTING: 400,
  LIMIT_FIELD_ARRAY_INDEX: 400,
  FILE_TOO_SMALL: 400,
  MISSING_FIELD_NAME: 400,
  INVALID_FIELD_NAME: 400,
  MISSING_FILE: 400,
  MULTIPART_BOUNDARY_NOT_FOUND: 400,
  MULTIPART_MALFORMED_PART_HEADER: 400,
  MULTIPART_MALFORMED_BODY: 400,
  MULTIPART_UNEXPECTED_END_OF_FORM: 400,
  CHECKSUM_MISSING: 400,
  CHECKSUM_INVALID: 400,
  REQUEST_ABORTED: 400,
  INVALID_KEY: 400,
  INVALID_ARGUMENT: 400,
  IDLE_TIMEOUT: 408,
  FILE_EXISTS: 409,
  PRECONDITION_FAILED: 412,
  LIMIT_FILE_SIZE: 413,
  LIMIT_TOTAL_SIZE: 413,
  LIMIT_FIELDS_SIZE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNSUPPORTED_CONTENT_ENCODING: 415,
  UNSUPPORTED_FILE_TYPE: 415,
  BODY_ALREADY_PARSED: 415,
  CHECKSUM_MISMATCH: 422,
  FILE_REJECTED: 422,
  STORAGE_FAILURE: 500,
  SHUTTING_DOWN: 503,
  STORAGE_UNAVAILABLE: 503,
  CALLBACK_TIMEOUT: 504,
  STORAGE_TIMEOUT: 504,
  STORAGE_FULL: 507,
} as const satisfies Record<Exclude<UploadErrorCode, OfOtherRoutes>, UploadErrorStatus>;

export const UPLOAD_ERROR_CODES = Object.keys(UPLOAD_ERROR_STATUS);

export function uploadCodesOf(status: UploadErrorStatus): string[] {
  return Object.entries(UPLOAD_ERROR_STATUS).flatMap(([code, each]) => (each === status ? [code] : []));
}
