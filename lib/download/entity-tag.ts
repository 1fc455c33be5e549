import { createHash } from 'node:crypto';

/** What an entity tag may have between its quotes (RFC 9110, section 8.8.3). */
const OPAQUE = /^[\x21\x23-\x7e]+$/;
// the second run of white space only behind a tag: two beside one another would be tried in every split
const TAG = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)/y;

/** A storage's etag as an entity tag. One with characters that a header cannot have stands for itself by its hash. */
export function entityTagOf(etag: string): string {
  return `"${OPAQUE.test(etag) ? etag : createHash('sha256').update(etag).digest('base64url')}"`;
}

/**
 * Whether one of a list of entity tags (`*` is every one) is this one.
 *
 * @param comparison RFC 9110, section 8.8.3.2: `strong` where bytes must be equal, for If-Match and If-Range; `weak` for If-None-Match
 */
export function matchesEntityTag(list: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  TAG.lastIndex = 0;
  while (TAG.lastIndex < list.length) {
    const match = TAG.exec(list);
    // what follows is no list any more
    if (match === null) return false;
    const [, weak, opaque] = match;
    if (opaque !== undefined && `"${opaque}"` === tag && (weak === undefined || comparison === 'weak')) return true;
  }
  return false;
}
