import { UNKNOWN_CONTENT_TYPE, type StoredFile } from '../contract/index.js';
import { headerValue, resolveContentType } from '../contract/options/resolve-attributes.js';
import { lastModifiedOf } from './conditions.js';
import { dispositionOf } from './disposition.js';
import { entityTagOf } from './entity-tag.js';
import { essenceOf, isInert, isViewed } from './inert-types.js';
import type { StoredFileOptions } from './stored-file-options.js';

/** Nobody else than this client keeps it, and it asks whether it is still good. */
const SAFE_CACHE_CONTROL = 'private, no-cache';

export type Headers = Readonly<Record<string, string>>;

/** What a client needs to keep what it has: also those of a 304 (RFC 9110, section 15.4.5). */
export function validators(file: StoredFile, options: StoredFileOptions): Headers {
  return {
    ETag: entityTagOf(file.etag),
    'Last-Modified': new Date(lastModifiedOf(file)).toUTCString(),
    'Cache-Control': options.cacheControl ?? readable(file.cacheControl, headerOf) ?? SAFE_CACHE_CONTROL,
  };
}

/** What is told of the file itself, but for its length and ranges. */
export function representation(file: StoredFile, options: StoredFileOptions): Headers {
  // `text/plain;, text/html` is no media type, and a browser would take the second one
  const contentType = options.contentType ?? readable(file.contentType, resolveContentType) ?? UNKNOWN_CONTENT_TYPE;
  const essence = essenceOf(contentType);
  const named = options.inlineTypes?.some((type) => essenceOf(type) === essence) ?? false;
  const headers: Record<string, string> = {
    ...validators(file, options),
    'Accept-Ranges': 'bytes',
    'Content-Type': contentType,
    'Content-Disposition': dispositionOf(file, options, named || isInert(essence)),
    'X-Content-Type-Options': 'nosniff',
  };
  const contentEncoding = readable(file.contentEncoding, headerOf);
  if (contentEncoding !== undefined) headers['Content-Encoding'] = contentEncoding;
  // what a route has named is shown, and still runs nothing here
  if (!isInert(essence) && !(named && isViewed(essence))) headers['Content-Security-Policy'] = 'sandbox';
  return headers;
}

/** What a storage tells of a file may have been written by another program, or by a storage that checks nothing. */
function readable(value: string | undefined, check: (value: unknown) => string | undefined): string | undefined {
  try {
    return check(value);
  } catch {
    // it is as if nothing had been said: the answer has its safe default
    return undefined;
  }
}

function headerOf(value: unknown): string | undefined {
  return headerValue('header', value);
}
