import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { Layout } from '../../lib/backends/filesystem/layout.js';
import { lockName } from '../../lib/backends/filesystem/lock-file.js';
import { systemError } from './faulty-disk.js';
import { filesBelow, keysOf, withRoot } from './temporary-root.js';

/** As XFS: the target of a symbolic link has fewer than 1,024 bytes (XFS_SYMLINK_MAXLEN). */
class ShortLinksDisk extends Disk {
  /** Called once a lock was made. */
  onLock: (path: string) => Promise<void> = () => Promise.resolve();
  failUnlinkOf: (path: string) => boolean = () => false;

  override symlink(target: string, path: string): Promise<void> {
    if (Buffer.byteLength(target) >= 1024) return Promise.reject(systemError('ENAMETOOLONG'));
    return super.symlink(target, path);
  }

  override async link(existing: string, added: string): Promise<void> {
    await super.link(existing, added);
    if (added.includes('/locks/')) await this.onLock(added);
  }

  override unlink(path: string): Promise<void> {
    return this.failUnlinkOf(path) ? Promise.reject(systemError('EIO')) : super.unlink(path);
  }
}

class ShortLinksStorage extends FileSystemStorage {
  readonly disk = new ShortLinksDisk();
  protected override readonly _disk = this.disk;
}

/** The longest a key may be, as one part and as many. */
const LONGEST = 'k'.repeat(1024);
const DEEPEST = `${'a/'.repeat(511)}bc`;
const DEAD = '1.1.00000000.00000000.abc';

describe('the longest keys on a file system with short symbolic links', () => {
  it.each([
    ['of one part', LONGEST],
    ['of many', DEEPEST],
  ])('are written, moved and deleted, and leave nothing: %s', (_, key) =>
    withRoot(async (root) => {
      const storage = new ShortLinksStorage({ root, durability: 'fast' });
      const moved = `${key.slice(0, -1)}z`;
      await storage.put(key, 'bytes', { metadata: { of: 'it' } });
      expect(await keysOf(storage)).toEqual([key]);
      await storage.move(key, moved);
      expect((await storage.info(moved)).metadata).toEqual({ of: 'it' });
      await storage.delete(moved);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }),
  );

  it('have one writer at a time, whose lock says whose and of what it is', () =>
    withRoot(async (root) => {
      const key = LONGEST;
      await using storage = new ShortLinksStorage({ root, durability: 'fast' });
      await using other = new ShortLinksStorage({ root, durability: 'fast' });
      let held = 0;
      storage.disk.onLock = async (path) => {
        held++;
        expect(await readFile(path, 'utf8')).toMatch(new RegExp(`^[^/]+/${key}$`));
        expect(await readdir(new Layout(root).locks)).toHaveLength(1);
      };
      const puts = Array.from({ length: 12 }, (_, i) =>
        (i % 2 === 0 ? storage : other).put(key, `${i}`, { ifNoneMatch: '*' }),
      );
      const created = (await Promise.allSettled(puts)).filter(({ status }) => status === 'fulfilled');
      expect(created).toHaveLength(1);
      expect(held).toBeGreaterThan(0);
    }));

  it('are healed by the next start when their writer has died', () =>
    withRoot(async (root) => {
      const key = LONGEST;
      const layout = new Layout(root);
      await mkdir(layout.locks, { recursive: true });
      const lock = join(layout.locks, lockName(key));
      await writeFile(lock, `${DEAD}/${key}`);
      await mkdir(layout.overflow(key).slice(0, layout.overflow(key).lastIndexOf('/')), { recursive: true });
      const storage = new ShortLinksStorage({ root, durability: 'fast' });
      await storage.open();
      await storage.close();
      expect(await readdir(root)).toEqual([]);
    }));

  it('are not locked for ever when their lock cannot be finished', () =>
    withRoot(async (root) => {
      const key = LONGEST;
      await using storage = new ShortLinksStorage({ root, durability: 'fast' });
      let failures = 1;
      storage.disk.failUnlinkOf = (path) => path.includes('.lock') && failures-- > 0;
      await expect(storage.put(key, 'bytes')).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      await storage.put(key, 'bytes');
      const left = (await filesBelow(root)).filter((path) => /^\.storages\/(?:tmp|locks)\//.test(path));
      expect(left).toEqual([]);
    }));
});
