import { lstatSync } from 'node:fs';
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
import { FileSystemStorage } from 'nestjs-storages';
import { systemError } from './faulty-disk.js';
import { filesBelow, withRoot } from './temporary-root.js';

const TIMEOUT_MS = 400;

/** Counts how often a lock was tried for. */
class CountingDisk extends Disk {
  tries = 0;

  override link(existing: string, added: string): Promise<void> {
    this.tries++;
    return super.link(existing, added);
  }
}

/** Locks of one storage, on a root on which another one that lives holds `key`. */
function withHeldKey(test: (locks: KeyLocks, disk: CountingDisk) => Promise<void>): Promise<void> {
  return withRoot(async (root) => {
    const disk = new CountingDisk();
    const layout = new Layout(root);
    const folders = new Folders(disk, new DirectorySync(disk, false), undefined);
    for (const path of [layout.owners, layout.locks]) await folders.make(path);
    const [owner, other] = [await Owner.announce(disk, layout), await Owner.announce(disk, layout)];
    const dead = new DeadOwners(disk, layout, folders, owner, new Liveness(disk, layout));
    await writeFile(join(layout.locks, 'kkey'), other.id);
    await test(new KeyLocks(disk, layout, folders, owner, dead, false, () => Promise.resolve(), TIMEOUT_MS), disk);
    await owner.withdraw();
    await other.withdraw();
  });
}

const never = (): Promise<never> => Promise.reject(new Error('the key is held by another one'));

describe('a key that a living neighbour holds', () => {
  it('lets each of many writers wait as long as one, not one after the other', () =>
    withHeldKey(async (locks, disk) => {
      const [first, ...others] = Array.from({ length: 6 }, () => locks.hold('key', undefined, never));
      const results = Promise.allSettled(others);
      await expect(first).rejects.toMatchObject({ code: 'TIMEOUT', key: 'key' });
      const { tries } = disk;
      for (const result of await results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT', key: 'key' } });
      }
      // by tries, since a busy machine makes any time long: who waits anew tries every few milliseconds
      expect(tries).toBeGreaterThan(2);
      expect(disk.tries - tries).toBeLessThanOrEqual(2 * others.length);
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

/** As ext4, whose files have 65,000 names at most. */
class FewLinksDisk extends Disk {
  refused = 0;

  override link(existing: string, added: string): Promise<void> {
    if (lstatSync(existing).nlink < 5) return super.link(existing, added);
    this.refused++;
    return Promise.reject(systemError('EMLINK'));
  }
}

class FewLinksStorage extends FileSystemStorage {
  readonly disk = new FewLinksDisk();
  protected override readonly _disk = this.disk;
}

describe('a storage that holds more locks than a file may have names', () => {
  it('holds them all, each known for its own, and leaves nothing', () =>
    withRoot(async (root) => {
      const [storage, other] = [1, 2].map(() => new FewLinksStorage({ root, durability: 'fast' }));
      if (storage === undefined || other === undefined) throw new Error('There are two.');
      const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
      await Promise.all(keys.flatMap((key) => [storage.put(key, 'one'), other.put(key, 'other')]));
      expect(storage.disk.refused).toBeGreaterThan(0);
      expect((await storage.check()).problems).toEqual([]);
      await Promise.all(keys.map((key) => other.delete(key)));
      for (const each of [storage, other]) await each.close();
      expect(await filesBelow(root)).toEqual([]);
    }));
});
