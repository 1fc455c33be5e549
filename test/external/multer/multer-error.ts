import { UploadException } from 'nestjs-storages';

/** multer's error: its code, and the field that it speaks of. */
export class MulterError extends Error {
  override readonly name = 'MulterError';
  /** What could not be removed. The library tells that to its log and tries again. */
  readonly storageErrors: readonly Error[] = [];

  constructor(
    readonly code: string,
    message: string,
    readonly field: string | undefined,
  ) {
    super(message);
  }
}

/** busboy's words for what the parser refuses. */
const OF_THE_PARSER: ReadonlyMap<string, string> = new Map([
  ['MULTIPART_BOUNDARY_NOT_FOUND', 'Multipart: Boundary not found'],
  ['MULTIPART_MALFORMED_PART_HEADER', 'Malformed part header'],
  ['MULTIPART_UNEXPECTED_END_OF_FORM', 'Unexpected end of form'],
]);

/** An upload's error in multer's terms. The codes are the library's; the field is the one that its message names. */
export function multerErrorOf(error: unknown): unknown {
  if (!(error instanceof UploadException)) return error;
  const message = OF_THE_PARSER.get(error.code);
  return message === undefined
    ? new MulterError(error.code, error.message, fieldIn(error.message))
    : new Error(message);
}

function fieldIn(message: string): string | undefined {
  const quoted = /"(?:[^"\\]|\\.)*"/.exec(message)?.[0];
  const field: unknown = quoted === undefined ? undefined : JSON.parse(quoted);
  return typeof field === 'string' ? field : undefined;
}
