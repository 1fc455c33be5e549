import { cp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as library from 'nestjs-storages';
import type { MemoryStorage } from 'nestjs-storages';

const built = dirname(createRequire(import.meta.url).resolve('nestjs-storages'));
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'variants');

/** The module of the channel as it would be if storages told nobody anything: `traced` is the identity of its work. */
const WITHOUT_CHANNEL = `
export const STORAGE_OPERATIONS = 'none';
export class TracedOperation {}
export function isTraced() { return false; }
export function traced(storage, operation, key, work) { return work(); }
export function tracedListing(storage, name, items) { return items; }
`;

/**
 * Copies of the built package, each with compiled code and caches of its own: one as it is, and two without the channel, the second of which shows
 * how much two copies of one text differ.
 */
export async function copies(): Promise<Readonly<Record<'without' | 'control' | 'traced', MemoryStorage>>> {
  await rm(folder, { recursive: true, force: true });
  const load = async (name: string, change?: (copy: string) => Promise<void>): Promise<MemoryStorage> => {
    const copy = join(folder, name);
    await cp(built, copy, { recursive: true });
    await change?.(copy);
    const loaded = (await import(pathToFileURL(join(copy, 'index.js')).href)) as typeof library;
    return new loaded.MemoryStorage({ name: 'files' });
  };
  const silence = (copy: string): Promise<void> =>
    writeFile(join(copy, 'contract', 'base', 'operation-channel.js'), WITHOUT_CHANNEL);
  return {
    traced: await load('traced'),
    without: await load('without', silence),
    control: await load('control', silence),
  };
}
