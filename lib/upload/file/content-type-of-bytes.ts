import type * as FileType from 'file-type';
import { extension as extensionOfType } from 'mime-types';
import { UNKNOWN_CONTENT_TYPE } from '../../contract/index.js';

/** How many bytes the signatures of file types need: what file-type reads at most. */
export const SIGNATURE_BYTES = 4100;

/**
 * Types in which a browser may run scripts or styles. XML is one of them: SVG and XHTML with an XML declaration are found as no more than
 * that. A file of such a type keeps neither type nor extension unless a route names it, so that nobody serves it as a page of the
 * application's own origin by accident.
 */
const ACTIVE = /^(?:text|application)\/(?:html|xml|css|xsl|xslt|xml-dtd|xml-external-parsed-entity)$|\+xml$/;

/** What a browser takes for a script (WHATWG, MIME Sniffing, section 4.6), and what old ones did. */
const SCRIPT = /^(?:text|application)\/(?:x-)?(?:javascript[0-9.]*|ecmascript|jscript|livescript|vbscript)$/;

/** Types that are text, so that no signature tells them. */
const TEXT = /^text\/|[/+](?:json|xml|javascript|ecmascript|x-ndjson|yaml|x-yaml|toml|sql|graphql|x-sh)$/;

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

/** How texts of a type begin, or what they have in their beginning, where that is known. */
const LOOKS: readonly (readonly [type: RegExp, text: RegExp])[] = [
  [/^image\/svg\+xml$/, /<svg[\s/>]/i],
  [/[/+]xml$/, /^\s*</],
  [/^text\/html$/, /<[a-z!]/i],
  [/[/+]json$/, /^\s*[[{"\-\dtfn]/],
];

/** Whether a browser may run scripts in files of this type. */
export function isActiveType(type: string): boolean {
  return ACTIVE.test(type) || SCRIPT.test(type);
}

/** Whether files of this type are text, which has no signature. */
export function isTextType(type: string): boolean {
  return TEXT.test(type) || SCRIPT.test(type);
}

/**
 * The media type of a file by its first bytes; of text, which has no signature, by a claim of the client's if that is harmless or named.
 *
 * @param head the beginning of the file, 4,100 bytes where it has as many
 * @param claims what the client says, most trusted first
 * @param named whether a route takes a type without a signature by its name
 */
export async function contentTypeOfBytes(
  head: Buffer,
  claims: readonly string[],
  named: (type: string) => boolean = () => false,
): Promise<FoundType> {
  const bytes = head.subarray(0, SIGNATURE_BYTES);
  const found = await signatureOf(bytes);
  const active = found !== undefined && isActiveType(found.mime);
  if (found !== undefined && !active) return { contentType: found.mime, extension: `.${found.ext}` };
  const text = textOf(bytes);
  if (text === undefined) return UNKNOWN;
  const types = claims.map((claim) => claim.toLowerCase());
  // what a route names comes first: clients call many a text plain, and `.csv` wants the one that is called so
  const harmless = active ? [] : types.filter((type) => CLAIMS.has(type));
  const type = [...types.filter(named), ...harmless].find((each) => looksLike(text, each));
  if (type === undefined) return UNKNOWN;
  const extension = extensionOfType(type);
  return { contentType: type, extension: extension === false ? '' : `.${extension}` };
}

/** Loaded when the first upload comes: it is large, and applications that only read need none of it. */
let fileType: typeof FileType | undefined;

async function signatureOf(bytes: Buffer): Promise<{ readonly mime: string; readonly ext: string } | undefined> {
  if (bytes.length === 0) return undefined;
  // not by import() each time, which costs as much as the look itself
  fileType ??= await import('file-type');
  try {
    return await fileType.fileTypeFromBuffer(bytes);
  } catch {
    // Its readers of container formats may stumble over a hostile or a cut file. Then the type is unknown, which is no failure.
    return undefined;
  }
}

function looksLike(text: string, type: string): boolean {
  return LOOKS.every(([types, look]) => !types.test(type) || look.test(text));
}

/** Well-formed UTF-8 (but for a character that is cut at the end) without control characters other than white space. */
function textOf(bytes: Buffer): string | undefined {
  for (const byte of bytes) {
    if (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
