import type { IncomingFile } from '../stored-upload.js';
import { UploadException, type RefusedUpload } from './upload-exception.js';

/** The longest part of a client's name that an answer repeats, in characters. */
const SHOWN_NAME = 100;

/** A file that is refused. */
type RefusedFile = Pick<IncomingFile, 'fieldname' | 'originalname'>;

const about = ({ fieldname, originalname }: RefusedFile): RefusedUpload => ({ field: fieldname, originalname });

/** A client's name as it may stand in an answer. */
function quoted(name: string): string {
  return JSON.stringify(name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}...` : name);
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

export const fileTooLarge = (file: RefusedFile, limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_FILE_SIZE',
    `File too large: the field ${quoted(file.fieldname)} takes files of at most ${counted(limit, 'byte')}.`,
    about(file),
  );

export const fileTooSmall = (file: RefusedFile, limit: number): UploadException =>
  new UploadException(
    400,
    'FILE_TOO_SMALL',
    `File too small: the field ${quoted(file.fieldname)} takes files of at least ${counted(limit, 'byte')}.`,
    about(file),
  );

export const filesTooLarge = (file: RefusedFile, limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_TOTAL_SIZE',
    `Files too large: all files of a request may have ${counted(limit, 'byte')} together.`,
    about(file),
  );

export const tooManyFiles = (file: RefusedFile, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FILE_COUNT',
    `Too many files: at most ${counted(limit, 'file')} may be sent.`,
    about(file),
  );

export const tooManyParts = (limit: number): UploadException =>
  new UploadException(400, 'LIMIT_PART_COUNT', `Too many parts: at most ${counted(limit, 'part')} may be sent.`);

export const tooManyFields = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_COUNT',
    `Too many fields: at most ${counted(limit, 'text field')} may be sent.`,
    { field },
  );

export const fieldNameTooLong = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_KEY',
    `Field name too long: ${quoted(field)} has more than ${counted(limit, 'byte')}.`,
    { field },
  );

export const fieldValueTooLong = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_VALUE',
    `Field value too long: the field ${quoted(field)} takes at most ${counted(limit, 'byte')}.`,
    { field },
  );

export const fieldValuesTooLong = (field: string, limit: number): UploadException =>
  new UploadException(
    413,
    'LIMIT_FIELDS_SIZE',
    `Field values too long: all text fields of a request may have ${counted(limit, 'byte')} together.`,
    { field },
  );

export const fieldNestedTooDeep = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_NESTING',
    `Field name nesting too deep: ${quoted(field)} has more than ${counted(limit, 'level')}.`,
    { field },
  );

export const fieldIndexTooLarge = (field: string, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_FIELD_ARRAY_INDEX',
    `Field name array index too large: ${quoted(field)} has one over ${limit}.`,
    { field },
  );

/** multer's code for one file too many under a field, as for a field that takes none. */
export const tooManyFilesOfField = (file: RefusedFile, limit: number): UploadException =>
  new UploadException(
    400,
    'LIMIT_UNEXPECTED_FILE',
    `Too many files: the field ${quoted(file.fieldname)} takes at most ${counted(limit, 'file')}.`,
    about(file),
  );

export const unexpectedFile = (file: RefusedFile, expected: string): UploadException =>
  new UploadException(
    400,
    'LIMIT_UNEXPECTED_FILE',
    `Unexpected file field: ${quoted(file.fieldname)} was sent, and this route takes ${expected}.`,
    about(file),
  );

export const fieldNameMissing = (): UploadException =>
  new UploadException(400, 'MISSING_FIELD_NAME', 'Field name missing: every part of the form needs a name.');

export const fieldNameInvalid = (field: string): UploadException =>
  new UploadException(400, 'INVALID_FIELD_NAME', `Invalid field name: ${quoted(field)} cannot be used.`, { field });

export const fieldValueUnreadable = (field: string): UploadException =>
  new UploadException(
    400,
    'MULTIPART_MALFORMED_PART_HEADER',
    `Malformed part header: the field ${quoted(field)} has a charset that is not known.`,
    { field },
  );

/** @param asText whether the field came, without the `filename` that makes a part a file (RFC 7578, section 4.2) */
export const fileMissing = (field: string, asText: boolean): UploadException =>
  new UploadException(
    400,
    'MISSING_FILE',
    asText
      ? `File is required: the field ${quoted(field)} was sent as text, and a file has a filename in its Content-Disposition.`
      : `File is required: the field ${quoted(field)} has none.`,
    { field },
  );

/** @param found the type; undefined for a file without a byte, which has none */
export const fileTypeRefused = (file: RefusedFile, found: string | undefined, allowed: string): UploadException =>
  new UploadException(
    415,
    'UNSUPPORTED_FILE_TYPE',
    `Unsupported file type: the field ${quoted(file.fieldname)} takes ${allowed}, and ${found === undefined ? 'the file that was sent is empty' : `the bytes that were sent are ${found}`}.`,
    about(file),
  );

export const fileRejected = (file: RefusedFile): UploadException =>
  new UploadException(
    422,
    'FILE_REJECTED',
    `File rejected: the file in ${quoted(file.fieldname)} did not pass the scan.`,
    about(file),
  );

export const checksumMismatch = (file: RefusedFile, algorithm: string, actual: string): UploadException =>
  new UploadException(
    422,
    'CHECKSUM_MISMATCH',
    `Checksum mismatch: the ${algorithm} of the file in ${quoted(file.fieldname)} is ${actual}, and another one was sent with it.`,
    about(file),
  );

export const checksumMissing = (file: RefusedFile, where: string): UploadException =>
  new UploadException(
    400,
    'CHECKSUM_MISSING',
    `Checksum missing: the file in ${quoted(file.fieldname)} needs one in ${where}.`,
    about(file),
  );

export const checksumInvalid = (file: RefusedFile, where: string, algorithm: string): UploadException =>
  new UploadException(
    400,
    'CHECKSUM_INVALID',
    `Invalid checksum: ${where} must be a ${algorithm} in hex or Base64, of one file.`,
    about(file),
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

/** The application's own time-out: what it waits for (a scanner, a database) is no fault of the client's. */
export const callbackTimedOut = (
  option: string,
  milliseconds: number,
  file: RefusedFile | undefined,
): UploadException =>
  new UploadException(
    504,
    'CALLBACK_TIMEOUT',
    `Upload timed out: ${option} did not answer within ${counted(milliseconds / 1000, 'second')}` +
      (file === undefined ? '.' : ` for the file in ${quoted(file.fieldname)}.`),
    file === undefined ? {} : about(file),
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
