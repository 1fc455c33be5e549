import type { StoredFile } from 'nestjs-storages';
import { readKey } from './file-keys.js';

/** What the page is told of a file. */
export interface FileItem {
  readonly key: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export function fileItem({ key, size }: Pick<StoredFile, 'key' | 'size'>): FileItem {
  return { key, name: readKey(key).name, size };
}
