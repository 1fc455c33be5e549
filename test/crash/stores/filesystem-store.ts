import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';
import { Layout, hashOfKey } from '../../../lib/backends/filesystem/layout.js';
import { ownerOfName } from '../../../lib/backends/filesystem/owner.js';
import { BROKEN } from './broken.js';
import { BROKEN_BETWEEN_PROCESSES, BROKEN_FILES, FLUSHING_TOO_LITTLE } from './broken-filesystem.js';
import type { CrashStore } from './crash-store.js';

export const filesystemStore: CrashStore = {
  name: 'filesystem',
  broken: [...BROKEN.keys(), ...BROKEN_FILES.keys()],
  brokenInPowerCuts: [...FLUSHING_TOO_LITTLE.keys()],
  brokenBetweenProcesses: [...BROKEN_BETWEEN_PROCESSES.keys()],
  // A rename may be on the disk before the bytes are, and before the attributes: then it has default ones, or they are without their object.
  // Every object is listed and can be read all the same: no `failed`.
  lostWhenFast: new Set(['lost', 'stale', 'resurrected', 'halfway', 'partial', 'unattributed', 'left over']),
  operations: {},
  codes: {
    ENOSPC: ['QUOTA_EXCEEDED'],
    EDQUOT: ['QUOTA_EXCEEDED'],
    EIO: ['STORAGE_FAILURE'],
    EMFILE: ['CONNECTION_FAILED'],
    EINTR: ['CONNECTION_FAILED'],
  },
  // an empty folder is no object, and gives way to one
  mayLeave: new Set(['rmdir']),
  written: /\/\.storages\/(?:tmp|attrs)\//,
  open: (folder, variant) => {
    const Variant = FLUSHING_TOO_LITTLE.get(variant) ?? FileSystemStorage;
    BROKEN_FILES.get(variant)?.();
    BROKEN_BETWEEN_PROCESSES.get(variant)?.();
    const storage = new Variant({ root: folder, durability: variant === 'fast' ? 'fast' : 'full' });
    BROKEN.get(variant)?.(storage);
    return storage;
  },
  maintain: async (storage) => {
    if (!(storage instanceof FileSystemStorage)) throw new Error('This is another storage.');
    await storage.sweep({ olderThan: 0 });
    const { problems } = await storage.check();
    // one that was killed leaves these until its key is written again or swept
    const mayBe = new Set(['leftover', 'orphaned-attributes']);
    return problems.filter(({ kind }) => !mayBe.has(kind)).map((problem) => JSON.stringify(problem));
  },
  leftovers: async (_storage, folder, keys) => {
    const layout = new Layout(folder);
    const left: string[] = [];
    for (const own of [layout.temporary, layout.locks, layout.guards]) {
      left.push(...(await filesBelow(own)).map((path) => path.slice(layout.private.length)));
    }
    const owners = new Set(
      (await filesBelow(layout.owners)).map((path) => ownerOfName(path.slice(layout.owners.length + 1))),
    );
    if (owners.size !== 1) left.push(`${owners.size - 1} owners beside this one`);
    const attributes = new Set(await filesBelow(layout.attributes));
    for (const key of keys) attributes.delete(await attributesPath(layout, key));
    left.push(...[...attributes].map((path) => path.slice(layout.private.length)));
    left.push(...(await emptyFolders(folder, layout.private)), ...(await emptyFolders(layout.overflowTree)));
    return left;
  },
};

async function attributesPath(layout: Layout, key: string): Promise<string> {
  const hash = hashOfKey(key);
  for (const path of [layout.natural(key), layout.overflow(key)]) {
    const stats = path === undefined ? undefined : await lstat(path, { bigint: true }).catch(() => undefined);
    if (stats?.isFile() === true) {
      return `${layout.attributes}/${hash.slice(0, 2)}/${hash}.${stats.mtimeNs.toString()}.${stats.size.toString()}`;
    }
  }
  return '';
}

async function entriesOf(folder: string): ReturnType<typeof readEntries> {
  try {
    return await readEntries(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function readEntries(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else files.push(path);
  }
  return files;
}

/** Folders in which there is nothing, but for one that is passed over. */
async function emptyFolders(folder: string, except?: string): Promise<string[]> {
  const empty: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory() || path === except) continue;
    if ((await entriesOf(path)).length === 0) empty.push(path);
    else empty.push(...(await emptyFolders(path)));
  }
  return empty;
}
