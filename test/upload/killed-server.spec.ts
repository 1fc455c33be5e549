import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type BaseStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { eventually, query } from '../sqlite/temporary-database.js';
import { file, form } from './form.js';
import type { KilledServerSetup } from './process/killed-server.js';
import { RawClient } from './raw-client.js';

const BACKENDS = ['filesystem', 'sqlite'] as const;

/** The files of the request: some that are staged from memory, some as streams. */
const SIZES = [100, 300_000, 0, 2_000_000, 70_000, 5];
const FILES = SIZES.map((size, index) => ({ name: `file-${index}`, data: Buffer.alloc(size, `${index}`) }));
const OLD = Buffer.from('the old bytes');

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killed-server-'));
  path = join(folder, 'storage');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const open = (backend: KilledServerSetup['backend']): BaseStorage =>
  backend === 'filesystem'
    ? new FileSystemStorage({ root: path, durability: 'fast' })
    : new SQLiteStorage({ filename: path, durability: 'fast', inlineSize: 1024 });

/** Sends the files to a server that kills itself while it commits them. */
async function uploadTo(setup: Omit<KilledServerSetup, 'path'>): Promise<void> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const child = fork(here('./process/killed-server.ts'), [JSON.stringify({ ...setup, path })], {
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', here('./process/typescript.js')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exit = once(child, 'exit');
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const client = await RawClient.connect(port);
  client.post(form(...FILES.map(({ name, data }) => file(data, 'files', name))));
  expect(await exit).toEqual([null, 'SIGKILL']);
  await expect(client.answer()).rejects.toThrow('without an answer');
  client.destroy();
}

/** The names of the files that are stored, each of them whole, with its own attributes; `old` for what was there before. */
async function stored(storage: BaseStorage): Promise<string[]> {
  const names: string[] = [];
  for await (const { key, size } of storage.list()) {
    const { metadata } = await storage.info(key);
    const bytes = await storage.getBytes(key);
    expect(bytes.length).toBe(size);
    if (bytes.equals(OLD) && metadata['name'] === undefined) {
      names.push('old');
      continue;
    }
    const whole = FILES.find(({ name }) => name === metadata['name']);
    expect(whole?.data.equals(bytes)).toBe(true);
    names.push(whole?.name ?? '');
  }
  return names;
}

/** Waits until nothing is left but the objects; then, without them, until nothing is left at all. */
async function expectSwept(storage: BaseStorage): Promise<void> {
  if (storage instanceof SQLiteStorage) {
    await eventually(() => query(path, 'SELECT 1 FROM "files$uploads"').length === 0);
    expect((await storage.check()).problems).toEqual([]);
    await storage.deletePrefix('', { all: true });
    await eventually(() => query(path, 'SELECT 1 FROM "files$chunks"').length === 0);
    return;
  }
  await storage.deletePrefix('', { all: true });
  const own = join('.storages', 'procs');
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.filter((name) => !name.slice(path.length + 1).startsWith(own))).toEqual([]);
}

describe.each(BACKENDS)('A server on %s that is killed', (backend) => {
  it.each(['own', 'fresh'] as const)('before the first commit, of %s keys, leaves nothing', async (keys) => {
    await uploadTo({ backend, keys, overwrite: false, moment: 'before', commit: 1 });
    await using storage = open(backend);
    expect(await stored(storage)).toEqual([]);
    await expectSwept(storage);
  });

  it.each<[commit: number, moment: KilledServerSetup['moment'], least: number, most: number]>([
    [1, 'done', 1, 1],
    [3, 'begun', 2, 3],
  ])('with commit %i %s leaves whole files, of own keys in their order', async (commit, moment, least, most) => {
    await uploadTo({ backend, keys: 'own', overwrite: false, moment, commit });
    await using storage = open(backend);
    const names = await stored(storage);
    expect(names).toEqual(FILES.slice(0, names.length).map(({ name }) => name));
    expect(names.length).toBeGreaterThanOrEqual(least);
    expect(names.length).toBeLessThanOrEqual(most);
    await expectSwept(storage);
  });

  it('with commit 3 done leaves whole files, of fresh keys', async () => {
    await uploadTo({ backend, keys: 'fresh', overwrite: false, moment: 'done', commit: 3 });
    await using storage = open(backend);
    const names = await stored(storage);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(3);
    await expectSwept(storage);
  });

  it('with commit 2 begun leaves each old file or its new one', async () => {
    {
      await using storage = open(backend);
      for (const { name } of FILES) await storage.put(name, OLD);
    }
    await uploadTo({ backend, keys: 'own', overwrite: true, moment: 'begun', commit: 2 });
    await using storage = open(backend);
    const names = await stored(storage);
    const replaced = names.filter((name) => name !== 'old');
    expect(names).toHaveLength(FILES.length);
    expect(replaced).toEqual(FILES.slice(0, replaced.length).map(({ name }) => name));
    expect(replaced.length).toBeGreaterThanOrEqual(1);
    expect(replaced.length).toBeLessThanOrEqual(2);
    await expectSwept(storage);
  });
});
