import type { IncomingHttpHeaders } from 'node:http';
import type { StoredFile } from '../contract/index.js';
import { entityTagOf, matchesEntityTag } from './entity-tag.js';
import { parseHttpDate } from './http-date.js';

/** What becomes of a request that has conditions. */
export type Verdict = 'answer' | 'not-modified' | 'precondition-failed';

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'] as const;

/** Whether it has to be known which version there is before anything is read. */
export function hasConditions(headers: IncomingHttpHeaders): boolean {
  return CONDITIONS.some((name) => headers[name] !== undefined);
}

/** Decides in the order of RFC 9110, section 13.2.2. @param method GET or HEAD may be answered 304, any other 412 */
export function decideConditions(headers: IncomingHttpHeaders, file: StoredFile, method: string | undefined): Verdict {
  const tag = entityTagOf(file.etag);
  const modified = lastModifiedOf(file);
  const ifMatch = headers['if-match'];
  const unmodifiedSince = parseHttpDate(headers['if-unmodified-since']);
  if (ifMatch !== undefined) {
    if (!matchesEntityTag(ifMatch, tag, 'strong')) return 'precondition-failed';
  } else if (unmodifiedSince !== undefined && modified > unmodifiedSince) {
    return 'precondition-failed';
  }
  const reads = method === 'GET' || method === 'HEAD';
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    if (matchesEntityTag(ifNoneMatch, tag, 'weak')) return reads ? 'not-modified' : 'precondition-failed';
  } else if (reads) {
    const modifiedSince = parseHttpDate(headers['if-modified-since']);
    if (modifiedSince !== undefined && modified <= modifiedSince) return 'not-modified';
  }
  return 'answer';
}

/**
 * Whether a Range holds: without If-Range (an empty text) always, else only for the version that the client has a part of (RFC 9110, section
 * 13.1.5). A date never tells one: two versions may have been made within its second (section 8.8.2.2), and every answer has an etag.
 */
export function rangeHolds(ifRange: string, file: StoredFile): boolean {
  return ifRange === '' || ifRange.trim() === entityTagOf(file.etag);
}

/** As HTTP tells it: whole seconds, in milliseconds, and not in the future, where the clock of a storage may be (section 8.8.2.1). */
export function lastModifiedOf({ lastModified }: StoredFile): number {
  return Math.floor(Math.min(lastModified.getTime(), Date.now()) / 1000) * 1000;
}
