import { freezeStoredFile, type FileAttributes, type StoredFile } from '../../contract/index.js';
import { etagOf, type Generation } from './generation.js';

/** What is told of an object. @param text the stored form of attributes that are not the default ones */
export function describeObject(
  key: string,
  generation: Generation,
  attributes: FileAttributes,
  text: string | undefined,
): StoredFile {
  return freezeStoredFile({
    ...attributes,
    key,
    size: Number(generation.size),
    etag: etagOf(generation, text),
    lastModified: new Date(Number(generation.mtimeNs / 1_000_000n)),
  });
}
