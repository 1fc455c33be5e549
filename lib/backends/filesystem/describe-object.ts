import type { FileAttributes, StoredFile } from '../../contract/index.js';
import { etagOf, type Generation } from './generation.js';

/**
 * What is told of an object, frozen. Field by field, and not by `freezeStoredFile`: to spread attributes into it costs as much CPU as a
 * system call does.
 *
 * @param text the stored form of attributes that are not the default ones
 */
export function describeObject(
  key: string,
  generation: Generation,
  attributes: FileAttributes,
  text: string | undefined,
): StoredFile {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = attributes;
  const file: { -readonly [Field in keyof StoredFile]: StoredFile[Field] } = {
    contentType,
    // an own property each, also of "__proto__"
    metadata: Object.isFrozen(metadata) ? metadata : Object.freeze({ ...metadata }),
    key,
    size: Number(generation.size),
    etag: etagOf(generation, text),
    lastModified: new Date(Number(generation.mtimeNs / 1_000_000n)),
  };
  if (cacheControl !== undefined) file.cacheControl = cacheControl;
  if (contentDisposition !== undefined) file.contentDisposition = contentDisposition;
  if (contentEncoding !== undefined) file.contentEncoding = contentEncoding;
  return Object.freeze(file);
}
