import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getStorageToken, type Storage } from 'nestjs-storages';
import { createFormApplication } from '../src/form-application.js';

type StorageName = 'applications' | 'documents' | 'portraits';

/** The sample as its reader starts it, on a free port, with a folder of its own. */
export interface RunningForm {
  readonly url: string;
  storage(name: StorageName): Storage;
  keys(name: StorageName): Promise<string[]>;
  /** All files in the folder, whether stored or left by an upload that failed. Marks of the storages themselves do not count. */
  files(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startForm(platform: 'express' | 'fastify'): Promise<RunningForm> {
  const root = await mkdtemp(join(tmpdir(), 'application-form-'));
  process.env['APPLICATIONS_ROOT'] = root;
  process.env['PLATFORM'] = platform;
  const app = await createFormApplication();
  await app.listen(0, '127.0.0.1');
  const filesIn = async (): Promise<string[]> => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  };
  const own = new Set(await filesIn());
  const storage = (name: StorageName): Storage => app.get<Storage>(getStorageToken(name), { strict: false });
  return {
    url: await app.getUrl(),
    storage,
    async keys(name) {
      const keys: string[] = [];
      for await (const file of storage(name).list()) keys.push(file.key);
      return keys;
    },
    async files() {
      return (await filesIn()).filter((path) => !own.has(path));
    },
    async stop() {
      await app.close();
      await rm(root, { recursive: true });
    },
  };
}
