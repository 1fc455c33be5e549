import { chmod, link, mkdir, mkdtemp, readdir, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type FileSystemStorageConfig } from 'nestjs-storages';
import { DeadOwners } from '../../lib/backends/filesystem/dead-owners.js';
import { DirectorySync } from '../../lib/backends/filesystem/directory-sync.js';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { Folders } from '../../lib/backends/filesystem/folders.js';
import { Layout } from '../../lib/backends/filesystem/layout.js';
import { Liveness } from '../../lib/backends/filesystem/liveness.js';
import { lockHolder } from '../../lib/backends/filesystem/lock-file.js';
import { Owner } from '../../lib/backends/filesystem/owner.js';
import { Child } from './process/child.js';
import { filesBelow, keysOf, withRoot, withStorage } from './temporary-root.js';

describe('the configuration', () => {
  it.each([
    ['root', {}],
    ['root', { root: '' }],
    ['root', { root: 7 }],
    ['durability', { root: 'x', durability: 'some' }],
    ['exclusive', { root: 'x', exclusive: 1 }],
    ['baseUrl', { root: 'x', baseUrl: '/files' }],
    ['baseUrl', { root: 'x', baseUrl: 'https://a.example/?x=1' }],
    ['fileMode', { root: 'x', fileMode: 0o444 }],
    ['fileMode', { root: 'x', fileMode: 0o1644 }],
    ['directoryMode', { root: 'x', directoryMode: 0o600 }],
    ['keys', { root: 'x', keys: 'loose' }],
    ['name', { root: 'x', name: '' }],
    ['rooot', { root: 'x', rooot: 'y' }],
  ])('with a wrong %s is refused by its name: %j', (field, config) => {
    expect(() => new FileSystemStorage(config as FileSystemStorageConfig)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(field) }),
    );
  });

  it('gives working URLs where a base is set, and pseudo-URLs else', async () => {
    const shown = new FileSystemStorage({ root: 'x', baseUrl: 'https://cdn.example/files/' });
    expect(shown.capabilities.urls).toBe('public');
    expect(
      await withRoot((root) =>
        new FileSystemStorage({ root, baseUrl: 'https://cdn.example/files/' }).url('a b/ü?.txt'),
      ),
    ).toBe('https://cdn.example/files/a%20b/%C3%BC%3F.txt');
    await withStorage(async (storage) => {
      expect(storage.capabilities.urls).toBe('none');
      expect(await storage.url('a/b c')).toBe('storage:///a/b%20c');
    });
  });

  it('sets exactly the modes it names, whatever the umask is', () =>
    withStorage(
      async (storage, root) => {
        await storage.put('a/plain', 'x');
        await storage.put('a/attributed', 'x', { metadata: { a: 'b' } });
        await storage.copy('a/attributed', 'a/copy.txt');
        const mode = async (path: string): Promise<number> => (await stat(join(root, path))).mode & 0o777;
        expect(await Promise.all(['a/plain', 'a/attributed', 'a/copy.txt', 'a'].map(mode))).toEqual([
          0o666, 0o666, 0o666, 0o777,
        ]);
      },
      { fileMode: 0o666, directoryMode: 0o777 },
    ));
});

describe('opening', () => {
  it('makes the root, and takes nothing but objects along when it closes', () =>
    withRoot(async (parent) => {
      const root = join(parent, 'not/there/yet');
      const storage = new FileSystemStorage({ root });
      await storage.put('a', 'b', { metadata: { c: 'd' } });
      await storage.delete('a');
      await storage.close();
      expect(await readdir(root)).toEqual([]);
    }));

  it('refuses a root that is a file, or below one, or a link to nowhere', () =>
    withRoot(async (parent) => {
      await writeFile(join(parent, 'file'), '');
      await symlink(join(parent, 'nowhere'), join(parent, 'dangling'));
      for (const name of ['file', 'file/below', 'dangling']) {
        const storage = new FileSystemStorage({ root: join(parent, name) });
        await expect(storage.open()).rejects.toMatchObject({
          code: 'INVALID_CONFIGURATION',
          message: expect.not.stringContaining(parent),
        });
        await storage.close();
      }
    }));

  it('refuses a link in the private folder, also one that leads nowhere', () =>
    withRoot(async (root) => {
      const outside = await mkdtemp(`${root}-outside-`);
      await mkdir(join(root, '.storages'));
      for (const name of ['tmp', 'procs', 'locks', 'break', 'attrs', 'over']) {
        for (const target of [outside, '/nowhere/at/all']) {
          await symlink(target, join(root, '.storages', name));
          await expect(new FileSystemStorage({ root }).open()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
          await unlink(join(root, '.storages', name));
        }
      }
      expect(await readdir(outside)).toEqual([]);
      await rm(outside, { recursive: true });
    }));

  it('refuses a private folder that is a link', () =>
    withRoot(async (root) => {
      const outside = await mkdtemp(`${root}-outside-`);
      await symlink(outside, join(root, '.storages'));
      await expect(new FileSystemStorage({ root }).open()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
      expect(await readdir(outside)).toEqual([]);
      await rm(outside, { recursive: true });
    }));

  it('works with a root whose path is longer than a socket address, and through a link to it', () =>
    withRoot(async (parent) => {
      const long = join(parent, 'long'.repeat(40));
      await mkdir(long);
      await symlink(long, join(parent, 'link'));
      await using one = new FileSystemStorage({ root: long });
      await using other = new FileSystemStorage({ root: join(parent, 'link') });
      await one.put('a', 'one');
      await other.put('a', 'other', { ifMatch: (await one.info('a')).etag });
      expect(String(await one.getBytes('a'))).toBe('other');
      expect((await readdir(join(long, '.storages/procs'))).filter((name) => name.endsWith('.sock'))).toHaveLength(2);
    }));

  it('goes on when a stranger removes the private folder, or the root', () =>
    withStorage(async (storage, root) => {
      await storage.put('before', 'it');
      await rm(join(root, '.storages'), { recursive: true });
      await storage.put('a', 'b', { metadata: { c: 'd' } });
      await rm(root, { recursive: true });
      expect(await keysOf(storage)).toEqual([]);
      await storage.put('a/b', 'c', { metadata: { d: 'e' } });
      expect(await keysOf(storage)).toEqual(['a/b']);
    }));
});

describe('several storages in one process', () => {
  it('are right on one root', () =>
    withRoot(async (root) => {
      const storages = Array.from({ length: 3 }, () => new FileSystemStorage({ root, durability: 'fast' }));
      await storages[0]?.put('counter', '0');
      await Promise.all(
        storages.map(async (storage) => {
          for (let won = 0; won < 10;) {
            const { etag } = await storage.info('counter');
            try {
              const count = Number(await storage.getBytes('counter', { ifMatch: etag }));
              await storage.put('counter', String(count + 1), { ifMatch: etag });
              won++;
            } catch (error) {
              if ((error as { code?: unknown }).code !== 'PRECONDITION_FAILED') throw error;
            }
          }
        }),
      );
      expect(String(await storages[0]?.getBytes('counter'))).toBe('30');
      for (const storage of storages) await storage.close();
    }));

  it('do not sweep what another one has staged', () =>
    withRoot(async (root) => {
      await using one = new FileSystemStorage({ root, durability: 'fast' });
      const staged = await one.stage('key', 'bytes');
      {
        await using other = new FileSystemStorage({ root, durability: 'fast' });
        await other.open();
      }
      await staged.commit();
      expect(String(await one.getBytes('key'))).toBe('bytes');
    }));

  it('do not take one that is about to listen for a dead one', () =>
    withRoot(async (root) => {
      await using neighbour = new FileSystemStorage({ root, durability: 'fast' });
      await neighbour.open();
      let swept = false;
      /** Lets another one sweep while the socket is bound under a name of its own. */
      class Watched extends Disk {
        override async rename(from: string, to: string): Promise<void> {
          if (to.endsWith('.sock') && !swept) {
            swept = true;
            await using sweeper = new FileSystemStorage({ root, durability: 'fast' });
            await sweeper.open();
          }
          return super.rename(from, to);
        }
      }
      class WatchedStorage extends FileSystemStorage {
        protected override readonly _disk = new Watched();
      }
      await using storage = new WatchedStorage({ root, durability: 'fast' });
      const staged = await storage.stage('key', 'bytes');
      expect(swept).toBe(true);
      await using last = new FileSystemStorage({ root, durability: 'fast' });
      await last.open();
      await staged.commit();
      expect((await readdir(join(root, '.storages/procs'))).filter((name) => name.endsWith('.new'))).toEqual([]);
    }));

  it('sweep what a worker thread that was terminated had begun, though its process lives', () =>
    withRoot(async (root) => {
      const worker = new Worker(new URL('./process/worker.js', import.meta.url), {
        argv: [root, 'key'],
        execArgv: [],
        stdout: true,
      });
      await once(worker.stdout, 'data');
      const begun = async (): Promise<string[]> =>
        (await filesBelow(root)).filter((path) => path.startsWith('.storages/tmp/'));
      {
        await using storage = new FileSystemStorage({ root, durability: 'fast' });
        await storage.open();
        expect(await begun()).toHaveLength(1);
      }
      await worker.terminate();
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      await storage.open();
      expect(await begun()).toEqual([]);
    }));
});

describe('exclusive', () => {
  it('refuses a second storage of either kind, and lets the next in after close', () =>
    withRoot(async (root) => {
      const first = new FileSystemStorage({ root, exclusive: true });
      await first.put('a', 'b');
      for (const exclusive of [true, false]) {
        await expect(new FileSystemStorage({ root, exclusive }).open()).rejects.toMatchObject({
          code: 'INVALID_CONFIGURATION',
          message: expect.stringContaining('exclusive'),
        });
      }
      await first.put('a', 'still works');
      await first.close();
      await using shared = new FileSystemStorage({ root });
      await shared.open();
      await expect(new FileSystemStorage({ root, exclusive: true }).open()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
      });
      await shared.put('a', 'works too');
    }));

  it('takes over from one that was killed, and removes what that left without a lock', () =>
    withRoot(async (root) => {
      const child = new Child('hold', [root, 'a/key', 'rename', 'exclusive']);
      expect(await child.line()).toBe('holding');
      await expect(new FileSystemStorage({ root }).open()).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
      await child.kill();
      const storage = new FileSystemStorage({ root, exclusive: true });
      expect(await keysOf(storage)).toEqual([]);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }));
});

describe('a storage that was killed in a commit', () => {
  it.each([
    ['exclusive', true],
    ['exclusive', false],
    ['shared', true],
    ['shared', false],
  ] as const)('leaves nothing: %s, and the next one exclusive: %s', (kind, exclusive) =>
    withRoot(async (root) => {
      const child = new Child('hold', [root, 'a/key', 'rename', ...(kind === 'exclusive' ? [kind] : [])]);
      expect(await child.line()).toBe('holding');
      await child.kill();
      const storage = new FileSystemStorage({ root, exclusive });
      await storage.open();
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    }),
  );
});

describe('the lock of a dead owner', () => {
  /** An owner of this process, and one that is surely dead: of another boot. */
  async function parts(root: string): Promise<{ disk: Disk; layout: Layout; dead: DeadOwners; owner: Owner }> {
    const disk = new Disk();
    const layout = new Layout(root);
    const folders = new Folders(disk, new DirectorySync(disk, false), undefined);
    for (const path of [layout.temporary, layout.owners, layout.locks, layout.guards]) await folders.make(path);
    const owner = await Owner.announce(disk, layout);
    return { disk, layout, owner, dead: new DeadOwners(disk, layout, folders, owner, new Liveness(disk, layout)) };
  }
  const DEAD = '1.1.00000000.00000000.abc';

  it('is not taken from the next holder by one that looked before', () =>
    withRoot(async (root) => {
      const { disk, layout, owner, dead } = await parts(root);
      const lock = join(layout.locks, 'kkey');
      await writeFile(lock, DEAD);
      // Between this one's look and its guard another one has broken the lock, and a third holds it.
      const symlinkFirst = disk.symlink.bind(disk);
      disk.symlink = async (target, path) => {
        await unlink(lock);
        await link(owner.path, lock);
        await symlinkFirst(target, path);
      };
      expect(await dead.breakIfDead(lock, DEAD)).toBe(false);
      expect(await lockHolder(disk, lock)).toBe(owner.id);
      await owner.withdraw();
    }));

  it('is broken by one alone, also when the guard of another breaker was left', () =>
    withRoot(async (root) => {
      const { layout, owner, dead } = await parts(root);
      const lock = join(layout.locks, 'kkey');
      await writeFile(lock, DEAD);
      expect(
        (await Promise.all(Array.from({ length: 8 }, () => dead.breakIfDead(lock, DEAD)))).filter(Boolean),
      ).toEqual([true]);
      expect(await readdir(layout.guards)).toEqual([]);
      await owner.withdraw();
    }));
});

describe('a process that may not', () => {
  it('write into the root is told so without its path', () =>
    withRoot(async (root) => {
      await chmod(root, 0o555);
      const superuser = process.geteuid?.() === 0;
      if (superuser) process.seteuid?.(65_534);
      try {
        const storage = new FileSystemStorage({ root });
        const opening = storage.open();
        await expect(opening).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
        await expect(opening).rejects.toMatchObject({ message: expect.not.stringContaining(root) });
        await storage.close();
      } finally {
        if (superuser) process.seteuid?.(0);
      }
    }));
});
