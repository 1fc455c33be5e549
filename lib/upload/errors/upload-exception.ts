import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** What can be wrong with an upload: multer's codes, those Nest has for the parser's failures, and ours for the rest. */
export type UploadErrorCode =
  | 'LIMIT_FILE_SIZE'
  | 'LIMIT_FILE_COUNT'
  | 'LIMIT_PART_COUNT'
  | 'LIMIT_FIELD_COUNT'
  | 'LIMIT_FIELD_KEY'
  | 'LIMIT_FIELD_VALUE'
  | 'LIMIT_UNEXPECTED_FILE'
  | 'LIMIT_FIELD_NESTING'
  | 'LIMIT_FIELD_ARRAY_INDEX'
  | 'LIMIT_FIELDS_SIZE'
  | 'LIMIT_TOTAL_SIZE'
  | 'FILE_TOO_SMALL'
  | 'MISSING_FIELD_NAME'
  | 'INVALID_FIELD_NAME'
  | 'MISSING_FILE'
  | 'MULTIPART_BOUNDARY_NOT_FOUND'
  | 'MULTIPART_MALFORMED_PART_HEADER'
  | 'MULTIPART_MALFORMED_BODY'
  | 'MULTIPART_UNEXPECTED_END_OF_FORM'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'UNSUPPORTED_CONTENT_ENCODING'
  | 'UNSUPPORTED_FILE_TYPE'
  | 'BODY_ALREADY_PARSED'
  | 'PARTIAL_PUT'
  | 'CHECKSUM_MISMATCH'
  | 'CHECKSUM_MISSING'
  | 'CHECKSUM_INVALID'
  | 'FILE_REJECTED'
  | 'IDLE_TIMEOUT'
  | 'CALLBACK_TIMEOUT'
  | 'REQUEST_ABORTED'
  | 'FILE_EXISTS'
  | 'PRECONDITION_FAILED'
  | 'INVALID_KEY'
  | 'INVALID_ARGUMENT'
  | 'SHUTTING_DOWN'
  | 'STORAGE_UNAVAILABLE'
  | 'STORAGE_FULL'
  | 'STORAGE_TIMEOUT'
  | 'STORAGE_FAILURE';

/** What an upload was refused for, as far as it is one field's or one file's. The names are the client's own words: cleaned, not trusted. */
export interface RefusedUpload {
  /** The name of the form's field; `body` for a raw body. */
  readonly field?: string | undefined;
  /** The client's name for the file. */
  readonly originalname?: string | undefined;
}

/**
 * The answer to an upload that was refused or failed: `{ statusCode, message, error, code, field }`. The message names the field and the limit,
 * and never a path, a stack or a cause.
 *
 * @example
 * catch (error: UploadException) { if (error.code === 'LIMIT_FILE_SIZE') ... } // in an exception filter
 */
export class UploadException extends HttpException implements RefusedUpload {
  readonly code: UploadErrorCode;
  /** The field that it is about, also in the answer; undefined where it is about the whole request. */
  readonly field: string | undefined;
  /** The client's name for the file that it is about; undefined where it is about no single file. For filters and logs: no answer has it. */
  readonly originalname: string | undefined;

  constructor(
    statusCode: number,
    code: UploadErrorCode,
    message: string,
    { cause, field, originalname }: RefusedUpload & { readonly cause?: unknown } = {},
  ) {
    const error = STATUS_CODES[statusCode] ?? 'Error';
    super(
      { statusCode, message, error, code, ...(field === undefined ? undefined : { field }) },
      statusCode,
      cause === undefined ? {} : { cause },
    );
    this.code = code;
    this.message = message;
    this.field = field;
    this.originalname = originalname;
  }
}
