import { create, parse } from 'content-disposition';
import type { StoredFile } from '../contract/index.js';
import type { StoredFileOptions } from './stored-file-options.js';

/** The file's name in a Content-Disposition as it was stored; undefined where it has none or cannot be read. */
function storedName(
  contentDisposition: string | undefined,
): { readonly type: string; readonly name: string | undefined } | undefined {
  if (contentDisposition === undefined) return undefined;
  try {
    const { type, parameters } = parse(contentDisposition);
    return { type, name: parameters['filename'] };
  } catch {
    // whoever stored it may have written anything; it is one word of several
    return undefined;
  }
}

/**
 * The Content-Disposition of an answer (RFC 6266): any Unicode name, with a readable one in ASCII beside it. What was stored gives the name, and the
 * type where the route gives none; one that is unknown means `attachment` (section 4.2).
 *
 * @param inline whether files of this type may be shown at all
 */
export function dispositionOf(
  file: Pick<StoredFile, 'key' | 'contentDisposition'>,
  options: Pick<StoredFileOptions, 'disposition' | 'filename' | 'contentDisposition'>,
  inline: boolean,
): string {
  const given = options.contentDisposition;
  if (given !== undefined) return inline ? given : asAttachment(given);
  const stored = storedName(file.contentDisposition);
  const asked = options.disposition ?? (stored === undefined || stored.type === 'inline' ? 'inline' : 'attachment');
  const name = cleaned(options.filename ?? stored?.name ?? file.key.slice(file.key.lastIndexOf('/') + 1));
  return create(name === '' ? undefined : name, { type: inline ? asked : 'attachment', fallback: inAscii(name) });
}

/** A type that is unknown means `attachment`; one that is missing would be shown by some clients. */
function asAttachment(disposition: string): string {
  return storedName(disposition) === undefined ? 'attachment' : disposition.replace(/^[^;\s]+/, 'attachment');
}

/** Well-formed, and without what could end the line. */
function cleaned(name: string): string {
  // a round trip replaces lone surrogates
  return Buffer.from(name, 'utf8')
    .toString('utf8')
    .replace(/[\p{Cc}\u2028\u2029]/gu, '')
    .replace(/^.*[\\/]/s, '')
    .trim();
}

/** `naïve résumé 😀.html` becomes `naive resume _.html`: for clients that know no RFC 8187. A `%` would be decoded by some. */
function inAscii(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/gu, '_')
    .replace(/[%"\\/]/g, '_');
}
