import { randomUUID } from 'node:crypto';
import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Milliseconds since 1970, in the year 2286: the last that has thirteen digits. */
const LAST_TIME = 9_999_999_999_999;

/**
 * A key that nobody can guess, and whose end is the file's name. Listings go by key, so it begins with a number that falls as time goes:
 * the newest file comes first, and a page of the listing is a page of the gallery.
 */
export function newKey(name: string): string {
  const base = nameOf(name.replaceAll('\\', '/'));
  if (/^\.{0,2}$/.test(base)) throw new BadRequestException('A file needs a name.');
  return `${String(LAST_TIME - Date.now()).padStart(13, '0')}-${randomUUID()}/${base}`;
}

/** The name that a file had on its owner's disk. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Where the thumbnail of a file lies, in the view of the thumbnails. */
export function thumbnailKey(key: string): string {
  return `${key}.webp`;
}

/** The key in the path of a request: a wildcard of Express 5 arrives as its decoded parts. */
@Injectable()
export class KeyPipe implements PipeTransform<unknown, string> {
  transform(parts: unknown): string {
    if (!Array.isArray(parts)) throw new BadRequestException('The address names no file.');
    return parts.map(String).join('/');
  }
}
