import { decoded, decodedExtended, type Parameters, parametersOf, TOKEN } from './header-parameters.js';
import { MultipartError } from './multipart-error.js';

/** What a part's own header says. */
export interface PartHeader {
  /** The `name` of the part, decoded; undefined where it has none. */
  readonly name: string | undefined;
  /** The `filename` (or `filename*`), decoded, otherwise as the client sent it; undefined where it has none; may be the empty string. */
  readonly filename: string | undefined;
  /** `Content-Transfer-Encoding` in lower case; `7bit` where there is none. */
  readonly encoding: string;
  /** `Content-Type` without its parameters, in lower case; undefined where the part has none, or one that cannot be read. */
  readonly mimeType: string | undefined;
  /** The `charset` parameter of the Content-Type, in lower case; undefined where there is none. */
  readonly charset: string | undefined;
}

const NAME = new RegExp(`^${TOKEN}$`);
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})[ \\t]*(?=;|$)`);
const FORM_DATA = /^form-data[ \t]*(?=;|$)/i;

/**
 * Reads the header of a part.
 *
 * @param lines each with its CRLF, without the empty line that ends them; one character for each byte
 * @param maxLines the most there may be, those of folded values counted by themselves
 * @throws MultipartError `malformed-header`
 */
export function partHeaderOf(lines: string, maxLines: number): PartHeader {
  let disposition: string | undefined;
  let type: string | undefined;
  let encoding: string | undefined;
  let count = 0;
  for (let start = 0; start < lines.length;) {
    // RFC 5322, section 2.2.3: a line that begins with white space goes on with the line before it
    let end = lines.indexOf('\r\n', start);
    let folded = false;
    for (; isBlank(lines.charCodeAt(end + 2)); count++) {
      end = lines.indexOf('\r\n', end + 2);
      folded = true;
    }
    if (++count > maxLines) throw malformed(`has more than ${maxLines} lines`);

    const colon = lines.indexOf(':', start);
    if (colon < 0 || colon > end) throw malformed('has a line without a name');
    const raw = lines.slice(colon + 1, end);
    const value = trimmed(folded ? raw.replaceAll('\r\n', '') : raw);
    // RFC 9110, section 5.5: invalid and dangerous. Other control characters stay: browsers send them in file names as they are.
    if (value.includes('\0') || value.includes('\r') || value.includes('\n')) {
      throw malformed('has a NUL, or a CR or LF that ends no line');
    }

    const name = lines.slice(start, colon).toLowerCase();
    if (name === 'content-disposition') disposition = once(disposition, value);
    else if (name === 'content-type') type = once(type, value);
    else if (name === 'content-transfer-encoding') encoding = once(encoding, value);
    // a space before the colon is refused as in RFC 9112, section 5.1: it hides a field from some readers and not from others
    else if (!NAME.test(name)) throw malformed('has a line without a name');
    start = end + 2;
  }

  const parameters = dispositionOf(disposition);
  const name = parameters.get('name');
  const media = type === undefined ? null : MEDIA_TYPE.exec(type);
  // field by field: spreading objects into one costs more than all the rest
  return {
    name: name === undefined ? undefined : decoded(name),
    filename: fileNameOf(parameters),
    encoding: encoding ? encoding.toLowerCase() : '7bit',
    mimeType: media?.[1]?.toLowerCase(),
    charset: type === undefined || media === null ? undefined : charsetOf(type, media[0].length),
  };
}

/**
 * RFC 7578, section 4.2, demands a disposition of `form-data`. A part without one is refused rather than skipped, as busboy and multer
 * do: what a client sent must not be lost behind an answer that says all is well.
 */
function dispositionOf(value: string | undefined): Parameters {
  const type = value === undefined ? null : FORM_DATA.exec(value);
  if (value === undefined || type === null) throw malformed('has no Content-Disposition of form-data');
  const parameters = parametersOf(value, type[0].length);
  if (parameters === undefined) throw malformed('has a Content-Disposition that cannot be read');
  return parameters;
}

/** RFC 8187, section 3.2: what is wrong with a `filename*` is ignored. But without a `filename` a file would pass for a text field. */
function fileNameOf(parameters: Parameters): string | undefined {
  const plain = parameters.get('filename');
  const extended = parameters.get('filename*');
  const name = extended === undefined ? undefined : decodedExtended(extended);
  if (name !== undefined) return name;
  if (plain !== undefined) return decoded(plain);
  if (extended !== undefined) throw malformed('has a filename* that cannot be read');
  return undefined;
}

/** The type is what a client claims, and nothing rests on it: parameters that cannot be read are none. */
function charsetOf(type: string, start: number): string | undefined {
  return start === type.length ? undefined : parametersOf(type, start)?.get('charset')?.toLowerCase();
}

/** Of two headers of one name, two readers would take different ones. */
function once(earlier: string | undefined, value: string): string {
  if (earlier !== undefined) throw malformed('has one of its fields twice');
  return value;
}

/** Without the white space around it. Not by trim(), which takes the byte A0 for a space. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (start < end && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function malformed(what: string): MultipartError {
  return new MultipartError('malformed-header', `The header of a part ${what}.`);
}
