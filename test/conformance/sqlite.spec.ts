import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { defineCapabilities } from 'nestjs-storages';
import { SQLiteStorage, type SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import {
  storageConformance,
  type ConformanceLimits,
  type CreateOptions,
  type OpenedStorage,
} from 'nestjs-storages/testing';
import { leftoversOf } from '../sqlite/leftovers.js';
import { memoryFolder } from './memory-folder.js';
import { SMALLER_LIMITS } from './smaller-limits.js';

interface OpenedFile extends OpenedStorage {
  readonly folder: string;
  readonly options: CreateOptions;
}

const filenames = new WeakMap<object, string>();

async function open(
  folder: string,
  config: Omit<SQLiteStorageConfig, 'filename'>,
  options: CreateOptions,
): Promise<OpenedFile> {
  const filename = join(folder, 'files.db');
  const storage = new SQLiteStorage({ ...config, ...options, filename });
  filenames.set(storage, filename);
  await storage.open(); // what is left is asked for before the first call
  const close = async (): Promise<void> => {
    await storage.close();
    await rm(folder, { recursive: true });
  };
  return { storage, folder, options, close };
}

const capabilities = defineCapabilities({
  stage: 'native',
  createOnly: true,
  compareAndSwap: true,
  conditionalCopy: true,
  etagCoversAttributes: true,
  persistent: true,
});

interface Variant {
  readonly config: Omit<SQLiteStorageConfig, 'filename'>;
  readonly limits: Partial<ConformanceLimits>;
  readonly place: string;
}

const variants: Record<string, Variant> = {
  'SQLiteStorage, durability full': { config: {}, limits: {}, place: tmpdir() },
  'SQLiteStorage, durability fast, small chunks': {
    config: { durability: 'fast', chunkSize: 16_384, inlineSize: 1000 },
    limits: SMALLER_LIMITS,
    place: memoryFolder(),
  },
};

for (const [name, { config, limits, place }] of Object.entries(variants)) {
  storageConformance({
    name,
    create: async (options = {}) => open(await mkdtemp(join(place, 'nestjs-storages-sqlite-')), config, options),
    reopen: async ({ storage, folder, options }) => {
      await storage.close();
      return open(folder, config, options);
    },
    capabilities,
    leftovers: (storage) => Promise.resolve(leftoversOf(filenames.get(storage) ?? '')),
    limits,
    secrets: [place],
    runner: { describe, it, afterAll },
  });
}

storageConformance({
  name: 'SQLiteStorage in memory',
  create: (options = {}) => {
    const storage = new SQLiteStorage({ ...options, filename: ':memory:' });
    return Promise.resolve({ storage, close: () => storage.close() });
  },
  capabilities: { ...capabilities, persistent: false },
  limits: SMALLER_LIMITS,
  runner: { describe, it, afterAll },
});
