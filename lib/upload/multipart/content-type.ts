import { boundaryMissing } from '../errors/index.js';

/** The longest Content-Type that is looked at, in characters: 70 of the boundary, and room for what else clients put there. */
const MAX_LENGTH = 200;

// RFC 9110, section 5.6.6; a value without quotes may have what some clients forget to quote, such as / and :
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`[ \\t]*;[ \\t]*(?:(${TOKEN})=(?:([^\\s";,]+)|"((?:[^"\\\\\\r\\n]|\\\\.)*)"))?`, 'y');

// RFC 2046, section 5.1.1: 1 to 70 of these, the last one no space
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;

/** What a request says its body is. */
export type RequestKind = 'none' | 'form' | 'other-multipart' | 'other';

export function kindOfRequest(contentType: string | undefined): RequestKind {
  if (contentType === undefined) return 'none';
  const type = /^[^;,]*/.exec(contentType)?.[0].trim().toLowerCase() ?? '';
  if (type === 'multipart/form-data') return 'form';
  return type.startsWith('multipart/') ? 'other-multipart' : 'other';
}

/**
 * The boundary of a form, checked before a parser sees it: a Content-Type with two boundaries, or one that two parsers read
 * differently, is refused.
 *
 * @throws UploadException 400
 */
export function boundaryOf(contentType: string): string {
  if (contentType.length > MAX_LENGTH) throw boundaryMissing();
  let boundary: string | undefined;
  PARAMETER.lastIndex = contentType.indexOf(';');
  if (PARAMETER.lastIndex < 0) throw boundaryMissing();
  while (PARAMETER.lastIndex < contentType.length) {
    const match = PARAMETER.exec(contentType);
    if (match === null) throw boundaryMissing();
    if (match[1]?.toLowerCase() !== 'boundary') continue;
    if (boundary !== undefined) throw boundaryMissing();
    boundary = match[2] ?? match[3]?.replace(/\\(.)/g, '$1') ?? '';
  }
  if (boundary === undefined || !BOUNDARY.test(boundary)) throw boundaryMissing();
  return boundary;
}
