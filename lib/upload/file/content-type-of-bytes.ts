import { extension as extensionOfType } from 'mime-types';
import { UNKNOWN_CONTENT_TYPE } from '../../contract/index.js';

/** How many bytes the signatures of file types need: what file-type reads at most. */
const SIGNATURE_BYTES = 4100;

/**
 * Types in which a browser may run scripts. XML is one of them: SVG and XHTML with an XML declaration are found as no more than that. A file
 * of such a type keeps neither type nor extension, so that nobody serves it as a page of the application's own origin by accident.
 */
const ACTIVE = /^(?:text|application)\/(?:html|xml|javascript|ecmascript)$|\+xml$/;

export interface FoundType {
  readonly contentType: string;
  /** With its dot; empty where the type is unknown. */
  readonly extension: string;
}

const UNKNOWN: FoundType = { contentType: UNKNOWN_CONTENT_TYPE, extension: '' };

/**
 * Types without a signature that are taken on the client's word, if the bytes look like text: no browser runs anything in them.
 * HTML, SVG, XML, JavaScript and CSS are not among them, and must never be.
 */
const CLAIMS: ReadonlySet<string> = new Set([
  'text/plain',
  'text/csv',
  'text/tab-separated-values',
  'text/markdown',
  'text/calendar',
  'text/vcard',
  'application/json',
  'application/x-ndjson',
]);

/**
 * The media type of a file by its first bytes; of text, which has no signature, by the client's claim if that is harmless.
 *
 * @param head the beginning of the file, 4,100 bytes where it has as many
 */
export async function contentTypeOfBytes(head: Buffer, claimed: string): Promise<FoundType> {
  const bytes = head.subarray(0, SIGNATURE_BYTES);
  const found = await signatureOf(bytes);
  if (found !== undefined && ACTIVE.test(found.mime)) return UNKNOWN;
  if (found !== undefined) return { contentType: found.mime, extension: `.${found.ext}` };
  const claim = claimed.toLowerCase();
  if (!CLAIMS.has(claim) || !looksLikeText(bytes)) return UNKNOWN;
  const extension = extensionOfType(claim);
  return { contentType: claim, extension: extension === false ? '' : `.${extension}` };
}

async function signatureOf(bytes: Buffer): Promise<{ readonly mime: string; readonly ext: string } | undefined> {
  if (bytes.length === 0) return undefined;
  // when the first upload comes: it is large, and applications that only read need none of it
  const { fileTypeFromBuffer } = await import('file-type');
  try {
    return await fileTypeFromBuffer(bytes);
  } catch {
    // Its readers of container formats may stumble over a hostile or a cut file. Then the type is unknown, which is no failure.
    return undefined;
  }
}

/** Well-formed UTF-8 (but for a character that is cut at the end) without control characters other than white space. */
function looksLikeText(bytes: Buffer): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) return false;
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
