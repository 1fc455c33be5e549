import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from 'nestjs-storages';
import { createGallery } from '../src/gallery-application.js';

/** The sample as its reader starts it, on a free port, with a folder of its own. */
export interface RunningGallery {
  readonly url: string;
  readonly root: string;
  readonly storage: Storage;
  /** The keys that are stored. */
  keys(): Promise<string[]>;
  /** What lies in the folder and is no stored file: what an upload that failed could have left. */
  leftovers(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startGallery(): Promise<RunningGallery> {
  const root = await mkdtemp(join(tmpdir(), 'gallery-'));
  process.env['GALLERY_ROOT'] = root;
  const app = await createGallery();
  await app.listen(0, '127.0.0.1');
  const storage = app.get(Storage, { strict: false });
  return {
    url: await app.getUrl(),
    root,
    storage,
    async keys() {
      const keys: string[] = [];
      for await (const file of storage.list()) keys.push(file.key);
      return keys;
    },
    async leftovers() {
      const entries = await readdir(join(root, '.storages', 'tmp')).catch((error: unknown) => {
        // instanceof fails here: inside Jest an error of node:fs is of another realm
        if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return [];
        throw error;
      });
      return entries;
    },
    async stop() {
      await app.close();
      await rm(root, { recursive: true });
    },
  };
}
