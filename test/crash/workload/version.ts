import type { PutOptions, StoredFile } from '../../../lib/contract/index.js';

/** Bytes of the pattern that fills a body: a prime, so that no two chunks of it are alike. */
const PATTERN_BYTES = 4093;
/** A body without attributes must be long enough to say its name, or empty. */
export const SHORTEST_PLAIN = 64;
/** All empty objects without attributes are alike. */
export const EMPTY = 'p-0';

const NAME = /^([ap][0-9a-z.]*)-(\d+)$/;
const NAME_IN_BODY = /^([ap][0-9a-z.]*-\d+)\n/;

/**
 * One version of an object. Everything about it follows from its name, which no other has: its bytes, and its attributes if it has any.
 *
 * @param unique letters, digits and full stops
 */
export function versionName(unique: string, size: number, plain: boolean): string {
  if (!plain) return `a${unique}-${size}`;
  return size < SHORTEST_PLAIN ? EMPTY : `p${unique}-${size}`;
}

function sizeOf(version: string): number {
  return Number(NAME.exec(version)?.[2]);
}

export function isPlain(version: string): boolean {
  return version.startsWith('p');
}

/** Its name, as far as there is room, and a pattern of its own. */
export function bodyOf(version: string): Buffer {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(version)) state = Math.imul(state ^ byte, 0x01000193);
  const pattern = Buffer.allocUnsafe(PATTERN_BYTES);
  for (let i = 0; i < PATTERN_BYTES; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pattern[i] = state;
  }
  const body = Buffer.alloc(sizeOf(version), pattern);
  body.write(`${version}\n`, 'latin1');
  return body;
}

export function optionsOf(version: string): PutOptions {
  return isPlain(version) ? {} : { contentType: contentTypeOf(version), metadata: { version } };
}

function contentTypeOf(version: string): string {
  return `application/x.${version}`;
}

/** What an object is found to be: a version, or why it is none. */
export type Found =
  | { readonly version: string; readonly fault?: undefined }
  | { readonly fault: 'partial' | 'mixed' | 'unattributed'; readonly why: string };

export function identify(file: StoredFile, body: Buffer): Found {
  const said = file.metadata['version'];
  const written = NAME_IN_BODY.exec(body.toString('latin1', 0, 100))?.[1];
  const version = said ?? written ?? (body.length === 0 ? EMPTY : undefined);
  if (version === undefined || !NAME.test(version)) {
    return { fault: 'partial', why: `${body.length} bytes that belong to no version` };
  }
  if (written !== undefined && written !== version) {
    return { fault: 'mixed', why: `the bytes of ${written} with the attributes of ${version}` };
  }
  if (said === undefined && !isPlain(version)) {
    return { fault: 'unattributed', why: `${version} without its attributes` };
  }
  if (said !== undefined && file.contentType !== contentTypeOf(version)) {
    return { fault: 'mixed', why: `${version} with the content type ${file.contentType}` };
  }
  if (file.size !== body.length)
    return { fault: 'partial', why: `${body.length} bytes of ${version}, which says ${file.size}` };
  if (body.equals(bodyOf(version))) return { version };
  return { fault: 'partial', why: `${body.length} bytes that are not those of ${version}` };
}
