import { attributesOf, type FileAttributes, type StoredFile } from '../../contract/index.js';
import { etagOf, type Generation } from './generation.js';

/**
 * What is told of an object, frozen. Made at once, and not by `freezeStoredFile`, which copies a file that there is already: this runs for every
 * file of a listing.
 *
 * @param text the stored form of attributes that are not the default ones
 */
export function describeObject(
  key: string,
  generation: Generation,
  attributes: FileAttributes,
  text: string | undefined,
): StoredFile {
  const { metadata } = attributes;
  const file = Object.assign(attributesOf(attributes), {
    // an own property each, also of "__proto__"
    metadata: Object.isFrozen(metadata) ? metadata : Object.freeze({ ...metadata }),
    key,
    size: Number(generation.size),
    etag: etagOf(generation, text),
    lastModified: new Date(Number(generation.mtimeNs / 1_000_000n)),
  });
  return Object.freeze(file);
}
