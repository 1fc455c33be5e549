import { posix } from 'node:path';
import { lookup } from 'mime-types';

/** The type of bytes that nobody knows more of (RFC 2046, section 4.5.1). */
export const UNKNOWN_CONTENT_TYPE = 'application/octet-stream';

/** The media type that the extension of a key stands for, else `application/octet-stream`. */
export function contentTypeOfKey(key: string): string {
  // extname first: mime-types would take the bare name "png" for an extension
  const extension = posix.extname(key);
  return (extension !== '' && lookup(extension)) || UNKNOWN_CONTENT_TYPE;
}
