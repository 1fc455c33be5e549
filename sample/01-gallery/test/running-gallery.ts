import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getStorageToken, type Storage } from 'nestjs-storages';
import { createGallery } from '../src/gallery-application.js';
import { readSettings } from '../src/settings.js';

/** The sample as its reader starts it, on a free port, with a folder of its own. */
export interface RunningGallery {
  readonly url: string;
  /** The folder of the files, without the thumbnails. */
  readonly root: string;
  /** The files. */
  readonly storage: Storage;
  readonly thumbnails: Storage;
  /** The keys of the files that are stored. */
  keys(): Promise<string[]>;
  /** What lies in the folder and is no stored file: what an upload that failed could have left. */
  leftovers(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startGallery(): Promise<RunningGallery> {
  const root = await mkdtemp(join(tmpdir(), 'gallery-'));
  const settings = await readSettings({ GALLERY_ROOT: root, PORT: '0' });
  const app = await createGallery(settings);
  await app.listen(settings.port, settings.host);
  const storage = app.get<Storage>(getStorageToken('files'), { strict: false });
  return {
    url: await app.getUrl(),
    root: join(root, 'files'),
    storage,
    thumbnails: app.get<Storage>(getStorageToken('thumbnails'), { strict: false }),
    keys: () => keysOf(storage),
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

export async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const file of storage.list()) keys.push(file.key);
  return keys;
}
