import { isUtf8 } from 'node:buffer';

// RFC 9110, section 5.6.2
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

// RFC 9110, section 5.6.6, which allows a semicolon without a parameter: `form-data; name="a";` is sent
const PARAMETER = new RegExp(`[ \\t]*;[ \\t]*(?:(${TOKEN})=(?:(${TOKEN})|"([^"\\\\]*(?:\\\\[^][^"\\\\]*)*)"))?`, 'y');

// RFC 8187, section 3.2.1: charset'language'value
const EXTENDED = /^(utf-8|iso-8859-1)'[a-z0-9-]*'((?:[!#$&+.^_`|~0-9a-z-]|%[0-9a-f]{2})*)$/i;

/** Parameters by their names in lower case, each value as its bytes are: one character for each byte. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Reads the parameters of a header's value, which has no space at its end, from `start` on. Undefined where they are malformed, or where one comes twice: of two
 * names two readers would take different ones.
 *
 * Within quotes `\"` and `\\` stand for `"` and `\`; any other backslash is one, since Internet Explorer sends whole paths and browsers
 * escape no backslash at all.
 */
export function parametersOf(value: string, start: number): Parameters | undefined {
  const parameters = new Map<string, string>();
  let end = start;
  for (;;) {
    PARAMETER.lastIndex = end;
    const match = PARAMETER.exec(value);
    if (match === null) break;
    end = PARAMETER.lastIndex;
    const [, written, token, quoted = ''] = match;
    if (written === undefined) continue;
    const name = written.toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, token ?? (quoted.includes('\\') ? quoted.replace(/\\(["\\])/g, '$1') : quoted));
  }
  return end === value.length ? parameters : undefined;
}

/**
 * The text of bytes that came as one character each: UTF-8 where they are well-formed UTF-8, else ISO-8859-1 (not windows-1252, which
 * the versions of Node read differently).
 */
export function decoded(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes;
}

/**
 * The text of an extended value of RFC 8187, such as `UTF-8''na%C3%AFve.txt`. Undefined where it is malformed or of another charset. It may
 * have control characters, which `cleanFileName` takes out.
 */
export function decodedExtended(value: string): string | undefined {
  const match = EXTENDED.exec(value);
  if (match === null) return undefined;
  const [, charset = '', encoded = ''] = match;
  const bytes = encoded.replace(/%(..)/g, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  if (charset.toLowerCase() === 'iso-8859-1') return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}
