import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenBackend } from './backends.js';
import { filesBelow } from './backends.js';

/** What both libraries say of an uploaded file. */
export interface UploadedFile {
  readonly fieldname: string;
  readonly originalname: string;
  readonly mimetype: string;
  readonly size: number;
  readonly contentType?: string;
}

/** Where the files of a server go, in the words that are the same for both libraries. */
export interface UploadStore {
  readonly folder: string | undefined;
  /** The stored bytes. */
  read(file: UploadedFile): Promise<Buffer>;
  /** Removes files that handlers kept, all at once: after some cases there are hundreds. */
  remove(files: readonly UploadedFile[]): Promise<void>;
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export function isUploadedFile(value: unknown): value is UploadedFile {
  return typeof value === 'object' && value !== null && 'fieldname' in value && 'size' in value;
}

export const sha1 = (bytes: Buffer | string): string => createHash('sha1').update(bytes).digest('hex');

/** The files of our interceptors: objects of a storage. */
export function storeOfBackend({ storage, folder, leftovers, close }: OpenBackend): UploadStore {
  return {
    folder,
    read: (file) => storage.getBytes(stringOf(file, 'key')),
    remove: async (files) => {
      if (files.length === 0) return;
      const { failed } = await storage.deleteMany(files.map((file) => stringOf(file, 'key')));
      if (failed[0] !== undefined) throw failed[0].error;
    },
    leftovers,
    close,
  };
}

/** The files of Nest's own interceptors: files in a folder. */
export async function storeOfFolder(): Promise<UploadStore & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-hostile-nest-'));
  return {
    folder,
    read: (file) => readFile(stringOf(file, 'path')),
    remove: async (files) => {
      for (const file of files) await rm(stringOf(file, 'path'), { force: true });
    },
    leftovers: () => filesBelow(folder),
    close: () => rm(folder, { recursive: true }),
  };
}

function stringOf(file: object, property: string): string {
  const value: unknown = Reflect.get(file, property);
  if (typeof value !== 'string') throw new TypeError(`An uploaded file without ${property}.`);
  return value;
}
