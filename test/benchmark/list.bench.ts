import { mkdtemp, opendir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemStorage } from 'nestjs-storages';
import { median } from './measure/statistics.js';

const OBJECTS = 10_000;
const ROUNDS = 7;

async function cpuMilliseconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function byHand(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.name === '.storages') continue;
    bytes += entry.isDirectory() ? await byHand(path) : (await stat(path)).size;
  }
  return bytes;
}

async function byStorage(storage: FileSystemStorage): Promise<number> {
  let bytes = 0;
  for await (const { size } of storage.list()) bytes += size;
  return bytes;
}

/** CPU of listing 10,000 objects beside opendir and stat by hand. */
export async function run(): Promise<void> {
  for (const [shape, keyOf] of Object.entries({
    'one folder': (i: number) => `file-${i}.txt`,
    '100 folders': (i: number) => `folder-${i % 100}/file-${i}.txt`,
  })) {
    const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-list-'));
    const storage = new FileSystemStorage({ root, durability: 'fast' });
    for (let i = 0; i < OBJECTS; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => storage.put(keyOf(i + j), 'x')));
    }
    const hand: number[] = [];
    const own: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      hand.push(await cpuMilliseconds(() => byHand(root)));
      own.push(await cpuMilliseconds(() => byStorage(storage)));
    }
    const start = performance.now();
    for await (const _ of storage.list()) break;
    const first = performance.now() - start;
    const [a, b] = [median(hand), median(own)];
    console.log(
      `${OBJECTS} objects in ${shape}: by hand ${a.toFixed(0)} ms of CPU, list ${b.toFixed(0)} ms, ` +
        `${(b / a).toFixed(2)} times; the first after ${first.toFixed(1)} ms`,
    );
    await storage.close();
    await rm(root, { recursive: true });
  }
}
