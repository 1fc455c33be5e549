import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DeadOwners } from '../../lib/backends/filesystem/dead-owners.js';
import { DirectorySync } from '../../lib/backends/filesystem/directory-sync.js';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { Folders } from '../../lib/backends/filesystem/folders.js';
import { KeyLocks } from '../../lib/backends/filesystem/key-locks.js';
import { Layout } from '../../lib/backends/filesystem/layout.js';
import { Liveness } from '../../lib/backends/filesystem/liveness.js';
import { Owner } from '../../lib/backends/filesystem/owner.js';
import { withRoot } from './temporary-root.js';

const TIMEOUT_MS = 400;

/** Locks of one storage, on a root on which another one that lives holds `key`. */
function withHeldKey(test: (locks: KeyLocks) => Promise<void>): Promise<void> {
  return withRoot(async (root) => {
    const disk = new Disk();
    const layout = new Layout(root);
    const folders = new Folders(disk, new DirectorySync(disk, false), undefined);
    for (const path of [layout.owners, layout.locks]) await folders.make(path);
    const [owner, other] = [await Owner.announce(disk, layout), await Owner.announce(disk, layout)];
    const dead = new DeadOwners(disk, layout, folders, owner, new Liveness(disk, layout));
    await writeFile(join(layout.locks, 'kkey'), other.id);
    await test(new KeyLocks(disk, layout, folders, owner, dead, false, () => Promise.resolve(), TIMEOUT_MS));
    await owner.withdraw();
    await other.withdraw();
  });
}

const never = (): Promise<never> => Promise.reject(new Error('the key is held by another one'));

describe('a key that a living neighbour holds', () => {
  it('lets each of many writers wait as long as one, not one after the other', () =>
    withHeldKey(async (locks) => {
      const start = performance.now();
      const writers = Array.from({ length: 6 }, () => locks.hold('key', undefined, never));
      for (const result of await Promise.allSettled(writers)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT', key: 'key' } });
      }
      expect(performance.now() - start).toBeLessThan(writers.length * TIMEOUT_MS);
    }));

  it('lets go who is aborted in the queue, and nobody past those before', () =>
    withHeldKey(async (locks) => {
      const order: string[] = [];
      const first = locks.hold('key', undefined, never).catch(() => order.push('first'));
      const controller = new AbortController();
      const second = locks.hold('key', controller.signal, never);
      const third = locks.hold('key', undefined, never).catch(() => order.push('third'));
      controller.abort(new Error('enough'));
      await expect(second).rejects.toThrow('enough');
      expect(order).toEqual([]);
      await Promise.all([first, third]);
      expect(order).toEqual(['first', 'third']);
    }));
});

describe('the queue of a key', () => {
  it('lets one in at a time, also when one before has been aborted', () =>
    withHeldKey(async (locks) => {
      let inside = 0;
      const work = async (): Promise<void> => {
        expect(++inside).toBe(1);
        await new Promise(setImmediate);
        inside--;
      };
      const controller = new AbortController();
      const calls = Array.from({ length: 20 }, (_, i) =>
        locks.hold('other', i % 3 === 1 ? controller.signal : undefined, work),
      );
      controller.abort(new Error('enough'));
      const done = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled');
      expect(done).toHaveLength(13);
    }));
});
