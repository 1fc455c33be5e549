import { attributesOf, type FileAttributes, type StoredFile } from '../../contract/index.js';
import type { Head } from './protocol.js';

/** How many texts are remembered: most objects have the attributes of many others. */
const REMEMBERED = 256;

const parsed = new Map<string, FileAttributes>();

/** A stored file from what its row says. */
export function fileOf(key: string, { size, etag, modified, attributes }: Head): StoredFile {
  // made at once, by assignment: to spread what JSON.parse has given costs ten times the rest, for every file of a listing
  const about = { key, size, etag, lastModified: new Date(modified) };
  return Object.freeze(Object.assign(attributesOf(attributesFrom(attributes)), about));
}

function attributesFrom(text: string): FileAttributes {
  let attributes = parsed.get(text);
  if (attributes === undefined) {
    // written by this package
    attributes = JSON.parse(text) as FileAttributes;
    Object.freeze(attributes.metadata);
    if (parsed.size >= REMEMBERED) parsed.clear();
    parsed.set(text, attributes);
  }
  return attributes;
}
