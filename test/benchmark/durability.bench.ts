import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemStorage, type FileSystemStorageConfig } from 'nestjs-storages';
import { median } from './measure/statistics.js';

const PUTS = 64;
const AT_ONCE = 16;
const ROUNDS = 7;
const BODY = Buffer.alloc(10 * 1024, 7);

const MODES = {
  full: { durability: 'full' },
  'full, exclusive': { durability: 'full', exclusive: true },
  fast: { durability: 'fast' },
  'fast, exclusive': { durability: 'fast', exclusive: true },
} as const satisfies Record<string, Omit<FileSystemStorageConfig, 'root'>>;

/** Milliseconds for each of so many puts, a number of them at once. */
async function millisecondsOfPut(storage: FileSystemStorage, round: number, atOnce: number): Promise<number> {
  const start = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < PUTS) await storage.put(`${round}-${atOnce}-${next++}`, BODY);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return (performance.now() - start) / PUTS;
}

/** Puts of 10 KiB under new keys of one folder: one by one, and 16 at once, in each mode by turns. */
export async function run(): Promise<void> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [mode, config] of Object.entries(MODES)) {
      const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-durability-'));
      const storage = new FileSystemStorage({ ...config, root });
      await storage.put('warm', BODY);
      for (const atOnce of [1, AT_ONCE]) {
        const name = `${mode}, ${atOnce} at once`;
        times.set(name, [...(times.get(name) ?? []), await millisecondsOfPut(storage, round, atOnce)]);
      }
      await storage.close();
      await rm(root, { recursive: true });
    }
  }
  for (const [name, values] of times) console.log(`${name}: ${median(values).toFixed(2)} ms a put`);
  console.log(`load of the machine: ${loadavg()[0]?.toFixed(1) ?? ''}`);
}
