import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { defineCapabilities, FileSystemStorage, type FileSystemStorageConfig } from 'nestjs-storages';
import {
  storageConformance,
  type ConformanceLimits,
  type CreateOptions,
  type OpenedStorage,
} from 'nestjs-storages/testing';
import { memoryFolder } from './memory-folder.js';
import { SMALLER_LIMITS } from './smaller-limits.js';

interface OpenedFolder extends OpenedStorage {
  readonly root: string;
  readonly options: CreateOptions;
}

const roots = new WeakMap<object, string>();

function open(root: string, config: Omit<FileSystemStorageConfig, 'root'>, options: CreateOptions): OpenedFolder {
  const storage = new FileSystemStorage({ ...config, ...options, root });
  roots.set(storage, root);
  const close = async (): Promise<void> => {
    await storage.close();
    await rm(root, { recursive: true });
  };
  return { storage, root, options, close };
}

interface Variant {
  readonly config: Omit<FileSystemStorageConfig, 'root'>;
  readonly limits: Partial<ConformanceLimits>;
  readonly folder: string;
}

const further = { limits: SMALLER_LIMITS, folder: memoryFolder() };

const variants: Record<string, Variant> = {
  'FileSystemStorage, durability full': { config: {}, limits: {}, folder: tmpdir() },
  'FileSystemStorage, durability fast': { config: { durability: 'fast' }, ...further },
  'FileSystemStorage, exclusive': { config: { durability: 'fast', exclusive: true }, ...further },
};

for (const [name, { config, limits, folder }] of Object.entries(variants)) {
  storageConformance({
    name,
    create: async (options = {}) => open(await mkdtemp(join(folder, 'nestjs-storages-')), config, options),
    reopen: async ({ storage, root, options }) => {
      await storage.close();
      return open(root, config, options);
    },
    capabilities: defineCapabilities({
      stage: 'native',
      createOnly: true,
      compareAndSwap: true,
      conditionalCopy: true,
      etagCoversAttributes: true,
      persistent: true,
    }),
    // what is not committed, and locks that nobody holds
    leftovers: async (storage) => {
      const root = roots.get(storage) ?? '';
      const left: string[] = [];
      for (const folder of ['tmp', 'locks', 'break']) {
        const names = await readdir(join(root, '.storages', folder)).catch((error: unknown) => {
          if ((error as { code?: unknown }).code === 'ENOENT') return [];
          throw error;
        });
        left.push(...names.map((entry) => `${folder}/${entry}`));
      }
      return left;
    },
    limits,
    secrets: [folder],
    runner: { describe, it, afterAll },
  });
}
