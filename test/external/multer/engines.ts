import { mkdirSync } from 'node:fs';
import { readdir, realpath, rmdir, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FileSystemStorage,
  type IncomingFile,
  type PendingUpload,
  type Storage,
  type UploadOptions,
} from 'nestjs-storages';
import { Layout } from '../../../lib/backends/filesystem/layout.js';
import { WatchedStorage } from '../../upload/watched-storage.js';

export type Answer<T> = (error: unknown, value?: T) => void;

/** A file as multer shows it to its callbacks. */
export type MulterFile = Pick<IncomingFile, 'fieldname' | 'originalname' | 'encoding' | 'mimetype'>;

/** What takes the files of one request. */
export interface OpenEngine {
  readonly storage: Storage;
  readonly options: UploadOptions;
  /** What multer's engine adds to a file. */
  describe(upload: PendingUpload): Promise<object>;
  /** To be called when the request is over. @throws Error where the upload has left something in the storage that nobody will fetch */
  close(failed: boolean): Promise<void>;
}

export interface Engine {
  open(request: IncomingMessage): Promise<OpenEngine>;
}

/** Calls a function of multer's kind. */
export function asked<T>(ask: (answer: Answer<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    ask((error, value) => {
      // multer takes every error that is not falsy
      if (error) reject(error instanceof Error ? error : new Error('multer would have failed.', { cause: error }));
      else resolve(value);
    });
  });
}

/** multer's `memoryStorage()` over a memory storage for each request: nobody removes what it holds. */
export class MemoryEngine implements Engine {
  open(): Promise<OpenEngine> {
    const storage = new WatchedStorage();
    return Promise.resolve({
      storage,
      options: {},
      describe: async ({ key }: PendingUpload) => ({ buffer: await storage.getBytes(key) }),
      close: async (failed) => {
        const left = storage.staged + storage.staging + (failed ? (await storage.keys()).length : 0);
        await storage.close();
        if (left > 0) throw new Error(`The upload has left ${left} files in memory.`);
      },
    });
  }
}

type Ask = (request: IncomingMessage, file: MulterFile, answer: Answer<string>) => void;

export interface DiskOptions {
  readonly destination?: string | Ask;
  readonly filename?: Ask;
}

/**
 * multer's `diskStorage()` over a FileSystemStorage whose root is the destination. A function that gives one is asked once for each request: an
 * upload's storage is not chosen by its file.
 */
export class DiskEngine implements Engine {
  readonly #options: DiskOptions;

  constructor(options: DiskOptions) {
    this.#options = options;
    if (typeof options.destination === 'string') mkdirSync(options.destination, { recursive: true });
  }

  async open(request: IncomingMessage): Promise<OpenEngine> {
    const { destination = tmpdir(), filename } = this.#options;
    const nobody: MulterFile = { fieldname: '', originalname: '', encoding: '', mimetype: '' };
    const root =
      typeof destination === 'string'
        ? destination
        : ((await asked<string>((answer) => {
            destination(request, nobody, answer);
          })) ?? tmpdir());
    const storage = new FileSystemStorage({ root, durability: 'fast' });
    const key = async (file: MulterFile): Promise<string> =>
      (await asked<string>((answer) => filename?.(request, file, answer))) ?? '';
    return {
      storage,
      // multer overwrites, and its handler gets files that are there
      options: filename === undefined ? {} : { key, overwrite: true, commit: 'beforeHandler' },
      describe: async (upload) => {
        const path = join(root, upload.key);
        await stat(path);
        return { destination: root, filename: upload.key, path };
      },
      close: async () => {
        // closing the storage would remove them
        const left = await readdir(new Layout(await realpath(root)).temporary).catch(() => []);
        await storage.close();
        if (left.length > 0) throw new Error(`The upload has left ${left.join(', ')}.`);
        await removeEmpty(join(root, '.storages'));
      },
    };
  }
}

/**
 * Takes away the storage's private folder if no file is in it, and only then: multer's tests look whether the destination is empty after a failure,
 * and anything that an upload has left has to show.
 */
async function removeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}
