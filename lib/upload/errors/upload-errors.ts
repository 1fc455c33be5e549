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

export const fileTooSmall = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'FILE_TOO_SMALL',
    `File too small: the field ${quoted(field)} takes files of at least ${counted(limit, 'byte')}.`,
  );

export const filesTooLarge = (limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_TOTAL_SIZE',
    `Files too large: all files of a request may have ${counted(limit, 'byte')} together.`,
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

export const fieldValuesTooLong = (limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_FIELDS_SIZE',
    `Field values too long: all text fields of a request may have ${counted(limit, 'byte')} together.`,
  );

export const fieldNestedTooDeep = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_NESTING',
    `Field name nesting too deep: ${quoted(field)} has more than ${counted(limit, 'level')}.`,
  );

export const fieldIndexTooLarge = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_ARRAY_INDEX',
    `Field name array index too large: ${quoted(field)} has one over ${limit}.`,
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

export const fileTypeRefused = (field: string, found: string, allowed: string): UploadException =>
  new UploadException(
    415,
    'UNSUPPORTED_FILE_TYPE',
    `Unsupported file type: the field ${quoted(field)} takes ${allowed}, and the bytes that were sent are ${found}.`,
  );

export const fileRejected = (field: string): UploadException =>
  new UploadException(422, 'FILE_REJECTED', `File rejected: the file in ${quoted(field)} did not pass the scan.`);

export const checksumMismatch = (field: string, algorithm: string, actual: string): UploadException =>
  new UploadException(
    422,
    'CHECKSUM_MISMATCH',
    `Checksum mismatch: the ${algorithm} of the file in ${quoted(field)} is ${actual}, and another one was sent with it.`,
  );

export const checksumMissing = (field: string, where: string): UploadException =>
  new UploadException(400, 'CHECKSUM_MISSING', `Checksum missing: the file in ${quoted(field)} needs one in ${where}.`);

export const checksumInvalid = (where: string, algorithm: string): UploadException =>
  new UploadException(
    400,
    'CHECKSUM_INVALID',
    `Invalid checksum: ${where} must be a ${algorithm} in hex or Base64, of one file.`,
  );

export const filesMissing = (): UploadException =>
  new UploadException(400, 'MISSING_FILE', 'File is required: the form has none.');

export const boundaryMissing = (): UploadException =>
  new UploadException(
    400,
    'MULTIPART_BOUNDARY_NOT_FOUND',
    'Multipart: Boundary not found. The Content-Type must have exactly one boundary, of 1 to 70 characters (RFC 2046, section 5.1.1).',
  );

export const bodyMissing = (): UploadException =>
  new UploadException(400, 'MISSING_FILE', 'File is required: the request has no body.');

/** RFC 9110, section 15.5.16: the client may send it again without the encoding. */
export const contentEncoded = (encoding: string): UploadException =>
  new UploadException(
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
    `Unsupported content encoding: ${quoted(encoding)} is not decoded here; send the body as it is.`,
  );

/** Without Nest's parsers Fastify still has its own, for JSON and for plain text. */
export const bodyParsedBefore = (contentType: string, platform: 'express' | 'fastify'): UploadException =>
  new UploadException(
    415,
    'BODY_ALREADY_PARSED',
    `The body was read before the upload got it: the application parses ${quoted(contentType)} itself. ` +
      'To take such files, create it with NestFactory.create(AppModule, { bodyParser: false })' +
      (platform === 'fastify'
        ? ", and take off Fastify's own parsers before it starts: " +
          "app.getHttpAdapter().getInstance().removeContentTypeParser(['application/json', 'text/plain'])."
        : '.'),
  );

export const clientIdle = (milliseconds: number): UploadException =>
  new UploadException(
    408,
    'IDLE_TIMEOUT',
    `Upload timed out: nothing was sent for ${counted(milliseconds / 1000, 'second')}.`,
  );

export const notMultipart = (expected: string): UploadException =>
  new UploadException(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `Unsupported content type: this route takes multipart/form-data with ${expected}.`,
  );

export const malformedHeader = (cause: unknown): UploadException =>
  new UploadException(400, 'MULTIPART_MALFORMED_PART_HEADER', 'Multipart: Malformed part header', { cause });

export const malformedBody = (cause: unknown): UploadException =>
  new UploadException(400, 'MULTIPART_MALFORMED_BODY', 'Multipart: Malformed body', { cause });

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
