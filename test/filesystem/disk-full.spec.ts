import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { filesBelow, keysOf } from './temporary-root.js';

const MIB = 1024 * 1024;

/** A disk of 8 MiB, where this process may mount one. */
async function smallDisk(): Promise<{ root: string; remove: () => Promise<void> } | undefined> {
  const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root], { stdio: 'ignore' });
  } catch {
    await rm(root, { recursive: true });
    return undefined;
  }
  const remove = async (): Promise<void> => {
    execFileSync('umount', [root]);
    await rm(root, { recursive: true });
  };
  return { root, remove };
}

function zeros(length: number): Readable {
  return Readable.from(
    (function* () {
      for (let left = length; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536));
    })(),
    { objectMode: false },
  );
}

describe('a disk that is full', () => {
  it('is a QuotaExceededError, the old object stays, nothing of the new one does, and what is deleted makes room', async () => {
    const disk = await smallDisk();
    if (disk === undefined) {
      console.log('No disk could be mounted here: ENOSPC is tested by injection alone (disk-faults.spec.ts).');
      return;
    }
    try {
      for (const durability of ['full', 'fast'] as const) {
        const storage = new FileSystemStorage({ root: disk.root, durability });
        const old = await storage.put('key', 'old', { metadata: { version: 'old' } });
        await storage.put('fill', Buffer.alloc(4 * MIB));
        for (const body of [zeros(16 * MIB), Buffer.alloc(6 * MIB)]) {
          const put = storage.put('key', body, { metadata: { version: 'new' } });
          await expect(put).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: true });
        }
        await expect(storage.copy('fill', 'key')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
        expect(await storage.info('key')).toEqual(old);
        expect(await keysOf(storage)).toEqual(['fill', 'key']);
        expect((await filesBelow(disk.root)).filter((path) => path.startsWith('.storages/tmp/'))).toEqual([]);
        await storage.delete('fill');
        await storage.put('key', Buffer.alloc(6 * MIB));
        await storage.delete('key');
        await storage.close();
        expect(await filesBelow(disk.root)).toEqual([]);
      }
    } finally {
      await disk.remove();
    }
  });
});
