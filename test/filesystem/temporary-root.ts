import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemStorage, type FileSystemStorageConfig } from 'nestjs-storages';

/** Runs a test on a new root and removes it. */
export async function withRoot<T>(test: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-fs-'));
  try {
    return await test(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Runs a test on a storage with a new root, and closes it. Without fsync, unless the test says otherwise. */
export function withStorage<T>(
  test: (storage: FileSystemStorage, root: string) => Promise<T>,
  config: Omit<FileSystemStorageConfig, 'root'> = {},
): Promise<T> {
  return withRoot(async (root) => {
    const storage = new FileSystemStorage({ durability: 'fast', ...config, root });
    try {
      return await test(storage, root);
    } finally {
      await storage.close();
    }
  });
}

export async function keysOf(storage: FileSystemStorage, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}

/** Every file below a folder, as paths relative to it. */
export async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(folder, path)));
    else files.push(path);
  }
  return files.sort();
}
