import { posix } from 'node:path';
import type { StoredFile } from 'nestjs-storages';

/** One file as the page shows it. */
export interface GalleryItem {
  readonly key: string;
  /** The name the file had on the visitor's disk. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  /** What a browser may show in place; everything else is for download only. */
  readonly preview: Preview | null;
}

export type Preview = 'image' | 'video' | 'audio';

/** The metadata field that keeps the original name: the key is the library's, random, and the name is only for people. */
export const NAME_FIELD = 'name';

export function galleryItemOf(file: StoredFile): GalleryItem {
  const { key, size, contentType, etag, lastModified } = file;
  return {
    key,
    name: nameOf(file),
    size,
    contentType,
    etag,
    lastModified: lastModified.toISOString(),
    preview: previewOf(contentType),
  };
}

/** A file that somebody copied into the folder by hand is a file too; it has no metadata, and its key is its name. */
export function nameOf(file: StoredFile): string {
  return file.metadata[NAME_FIELD] ?? posix.basename(file.key);
}

/** Types that cannot carry a script. SVG can, so it is not among them. */
export function previewOf(contentType: string): Preview | null {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (/^image\/(?:avif|bmp|gif|jpeg|png|webp)$/.test(type)) return 'image';
  if (/^video\/(?:mp4|ogg|webm|quicktime)$/.test(type)) return 'video';
  if (/^audio\/(?:aac|flac|mp4|mpeg|ogg|wav|wave|webm|x-wav)$/.test(type)) return 'audio';
  return null;
}
