import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { storageConformance, type CreateOptions, type OpenedStorage } from 'nestjs-storages/testing';
import { capabilitiesWithin, COMPOSED, WRAPPINGS, type Wrapping } from '../wrappers/wrapped.js';
import { memoryFolder } from './memory-folder.js';
import { SMALLER_LIMITS } from './smaller-limits.js';

interface WrappedFolder extends OpenedStorage {
  readonly root: string;
  readonly release: () => Promise<void>;
  readonly options: CreateOptions;
}

const roots = new WeakMap<object, string>();
const folder = memoryFolder();
// the power is not cut here: what a wrapper passes on is the same
const { capabilities } = new FileSystemStorage({ root: folder, durability: 'fast' });

function open(wrapping: Wrapping, root: string, options: CreateOptions): WrappedFolder {
  const inner = new FileSystemStorage({ root, durability: 'fast', ...options });
  const storage = wrapping.wrap(inner, options.keys);
  roots.set(storage, root);
  const release = async (): Promise<void> => {
    await storage.close();
    // the others close what they were given by themselves
    if (!wrapping.owns) await inner.close();
  };
  const close = async (): Promise<void> => {
    await release();
    await rm(root, { recursive: true });
  };
  return { storage, root, options, release, close };
}

for (const wrapping of [...WRAPPINGS, COMPOSED]) {
  storageConformance({
    name: `${wrapping.name} over FileSystemStorage`,
    capabilities: capabilitiesWithin(capabilities, wrapping),
    create: async (options = {}) => open(wrapping, await mkdtemp(join(folder, 'nestjs-storages-')), options),
    reopen: async ({ release, root, options }) => {
      await release();
      return open(wrapping, root, options);
    },
    leftovers: async (storage) => {
      const names = await readdir(join(roots.get(storage) ?? '', '.storages', 'tmp')).catch((error: unknown) => {
        if ((error as { code?: unknown }).code === 'ENOENT') return [];
        throw error;
      });
      return names;
    },
    limits: SMALLER_LIMITS,
    secrets: [folder],
    runner: { describe, it, afterAll },
  });
}
