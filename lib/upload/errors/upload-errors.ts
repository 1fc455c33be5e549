import { UploadException } from './upload-exception.js';

/** The longest part of a client's name that an answer repeats, in characters. */
const SHOWN_NAME = 100;

/** A client's name as it may stand in an answer. */
function quoted(name: string): string {
  return JSON.stringify(name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}...` : name);
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

export const fileTooLarge = (field: string, limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_FILE_SIZE',
    `File too large: the field ${quoted(field)} takes files of at most ${counted(limit, 'byte')}.`,
  );

export const tooManyFiles = (limit: number): UploadException =>
  new UploadException(400, 'LIMIT_FILE_COUNT', `Too many files: at most ${counted(limit, 'file')} may be sent.`);

export const tooManyParts = (limit: number): UploadException =>
  new UploadException(400, 'LIMIT_PART_COUNT', `Too many parts: at most ${counted(limit, 'part')} may be sent.`);

export const tooManyFields = (limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_COUNT',
    `Too many fields: at most ${counted(limit, 'text field')} may be sent.`,
  );

export const fieldNameTooLong = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_KEY',
    `Field name too long: ${quoted(field)} has more than ${counted(limit, 'byte')}.`,
  );

export const fieldValueTooLong = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_VALUE',
    `Field value too long: the field ${quoted(field)} takes at most ${counted(limit, 'byte')}.`,
  );

/** multer's code for one file too many under a field, as for a field that takes none. */
export const tooManyFilesOfField = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_UNEXPECTED_FILE',
    `Too many files: the field ${quoted(field)} takes at most ${counted(limit, 'file')}.`,
  );

export const unexpectedFile = (field: string, expected: string): UploadException =>
  new UploadException(
    400,
    'LIMIT_UNEXPECTED_FILE',
    `Unexpected file field: ${quoted(field)} was sent, and this route takes ${expected}.`,
  );

export const fieldNameMissing = (): UploadException =>
  new UploadException(400, 'MISSING_FIELD_NAME', 'Field name missing: every part of the form needs a name.');

export const fieldNameInvalid = (field: string): UploadException =>
  new UploadException(400, 'INVALID_FIELD_NAME', `Invalid field name: ${quoted(field)} cannot be used.`);

export const fieldValueUnreadable = (field: string): UploadException =>
  new UploadException(
    400,
    'MULTIPART_MALFORMED_PART_HEADER',
    `Malformed part header: the field ${quoted(field)} has a charset that is not known.`,
  );

export const fileMissing = (field: string): UploadException =>
  new UploadException(400, 'MISSING_FILE', `File is required: the field ${quoted(field)} has none.`);

export const boundaryMissing = (): UploadException =>
  new UploadException(
    400,
    'MULTIPART_BOUNDARY_NOT_FOUND',
    'Multipart: Boundary not found. The Content-Type must have exactly one boundary, of 1 to 70 characters (RFC 2046, section 5.1.1).',
  );

export const notMultipart = (expected: string): UploadException =>
  new UploadException(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `Unsupported content type: this route takes multipart/form-data with ${expected}.`,
  );

export const malformedHeader = (cause: unknown): UploadException =>
  new UploadException(400, 'MULTIPART_MALFORMED_PART_HEADER', 'Multipart: Malformed part header', { cause });

export const unexpectedEnd = (cause: unknown): UploadException =>
  new UploadException(
    400,
    'MULTIPART_UNEXPECTED_END_OF_FORM',
    'Multipart: Unexpected end of form. The body ended before its closing delimiter.',
    { cause },
  );

/** Nobody reads this one: it is for filters and logs. */
export const requestAborted = (cause?: unknown): UploadException =>
  new UploadException(400, 'REQUEST_ABORTED', 'Request aborted: the connection ended before the body did.', { cause });
