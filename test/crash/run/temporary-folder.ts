import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs something in a new folder, which has another around it for what belongs to the harness, and removes both. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const base = await mkdtemp(join(tmpdir(), 'nestjs-storages-crash-'));
  const folder = join(base, 'store');
  await mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
