import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { defineCapabilities } from 'nestjs-storages';
import { storageConformance, type CreateOptions, type OpenedStorage } from 'nestjs-storages/testing';
import { Programs } from '../crash/process/programs.js';
import { leftoversOf } from './leftovers.js';
import { SecondProcess } from './second-process.js';
import { TwoProcessStorage } from './two-process-storage.js';

// Every change is made by another process, and every read by this one, on one file; a third storage writes to another table of it all the
// while. So what one process commits the other sees at once, a reader keeps its snapshot while the other process overwrites and deletes,
// and conditions are decided where another process has written.

const MIB = 1024 * 1024;

interface OpenedFile extends OpenedStorage {
  readonly folder: string;
  readonly options: CreateOptions;
}

const filenames = new WeakMap<object, string>();
let programs: Programs | undefined;
let second: Promise<SecondProcess> | undefined;

async function startSecond(): Promise<SecondProcess> {
  programs = await Programs.compile();
  return SecondProcess.start(programs);
}

async function open(folder: string, options: CreateOptions): Promise<OpenedFile> {
  const filename = join(folder, 'files.db');
  const storage = new TwoProcessStorage(
    { ...options, filename, durability: 'fast', chunkSize: 65_536, inlineSize: 8192 },
    () => (second ??= startSecond()),
  );
  filenames.set(storage, filename);
  await storage.open(); // what is left is asked for before the first call
  const close = async (): Promise<void> => {
    await storage.close();
    await rm(folder, { recursive: true });
  };
  return { storage, folder, options, close };
}

storageConformance({
  name: 'SQLiteStorage in two processes',
  create: async (options = {}) => open(await mkdtemp(join(tmpdir(), 'nestjs-storages-sqlite-')), options),
  reopen: async ({ storage, folder, options }) => {
    await storage.close();
    return open(folder, options);
  },
  capabilities: defineCapabilities({
    stage: 'native',
    createOnly: true,
    compareAndSwap: true,
    conditionalCopy: true,
    etagCoversAttributes: true,
    persistent: true,
  }),
  leftovers: (storage) => Promise.resolve(leftoversOf(filenames.get(storage) ?? '')),
  // every byte goes through a pipe, and every storage has another one beside it
  limits: {
    memoryObject: 64 * MIB,
    memoryBound: 24 * MIB,
    manyKeys: 1000,
    deleteCounts: [0, 1, 2, 1000, 1001],
    randomKeys: 30,
  },
  secrets: [tmpdir()],
  runner: { describe, it, afterAll },
});

afterAll(async () => {
  await (await second)?.end();
  await programs?.remove();
});
