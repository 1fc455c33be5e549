import type { StoredFile } from 'nestjs-storages';
import { tagsOf } from './tags.js';

/** One document as the page shows it. Its full name is its key: that is what a search by prefix looks through. */
export interface InboxDocument {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly tags: readonly string[];
}

export function documentOf(file: StoredFile): InboxDocument {
  const { key, size, contentType, etag, lastModified } = file;
  return { name: key, size, contentType, etag, lastModified: lastModified.toISOString(), tags: tagsOf(file) };
}

/** "é" may be one character or two, and keyboards and file systems differ in it: names and searches are brought to one form. */
export function canonicalName(name: string): string {
  return name.normalize('NFC');
}
