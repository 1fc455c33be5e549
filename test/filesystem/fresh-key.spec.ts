import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import {
  freshKey,
  ScopedStorage,
  type FileSystemStorageConfig,
  type PutOptions,
  type StorageData,
  type StoredFile,
} from 'nestjs-storages';
import { FaultyDiskStorage, systemError, type DiskCall } from './faulty-disk.js';
import { Child } from './process/child.js';
import { filesBelow, keysOf, withRoot } from './temporary-root.js';

const FRESH = { [freshKey]: true } as const;

function withDisk<T>(
  test: (storage: FaultyDiskStorage, root: string) => Promise<T>,
  config: Omit<FileSystemStorageConfig, 'root'> = { durability: 'fast' },
): Promise<T> {
  return withRoot(async (root) => {
    await using storage = new FaultyDiskStorage({ ...config, root });
    await storage.open();
    storage.disk.calls.length = 0;
    return await test(storage, root);
  });
}

/** What is there beside the objects, but for what says that the storage is open. */
async function leftIn(root: string): Promise<string[]> {
  return (await filesBelow(root)).filter((path) => /^\.storages\/(?!procs\/)/.test(path));
}

/** The ways to store a body under a fresh key. */
const WAYS: readonly [
  string,
  (storage: FaultyDiskStorage, key: string, data: StorageData, options?: PutOptions) => Promise<StoredFile>,
][] = [
  ['put', (storage, key, data, options) => storage.put(key, data, { ...options, ...FRESH })],
  ['stage', async (storage, key, data, options) => (await storage.stage(key, data, { ...options, ...FRESH })).commit()],
];

describe.each(WAYS)('a fresh key (%s)', (_name, store) => {
  it.each([
    ['five calls where it is random by its form', `${randomUUID()}.png`, ['rename']],
    ['six calls where it is not: nothing is replaced', 'fresh.png', ['link', 'unlink']],
  ])('costs %s: no lock, and no look at what is there', (_cost, key, placing) =>
    withDisk(async (storage) => {
      const bytes = Buffer.alloc(10 * 1024, 7);
      const file = await store(storage, key, bytes, { contentType: 'image/png' });
      expect(storage.disk.calls).toEqual(['open', 'writev', 'fstat', 'close', ...placing]);
      expect(await storage.info(file.key)).toEqual(file);
      expect(bytes.equals(await storage.getBytes(file.key))).toBe(true);
      expect(Object.isFrozen(file) && Object.isFrozen(file.metadata)).toBe(true);
    }),
  );

  it('needs no attribute file for the type that its extension stands for', () =>
    withDisk(async (storage, root) => {
      await store(storage, 'none', 'bytes', { contentType: 'application/octet-stream' });
      await store(storage, 'one.png', 'bytes', { contentType: 'image/png' });
      expect(await leftIn(root)).toEqual([]);
    }));

  it('is durable where the storage is: the file before its link, the folder after it', () =>
    withDisk(
      async (storage) => {
        await store(storage, randomUUID(), 'bytes');
        await store(storage, 'fresh', 'bytes');
        const steps = storage.disk.calls.filter((call) => ['fsync', 'link', 'rename'].includes(call));
        expect(steps).toEqual(['fsync', 'rename', 'fsync', 'fsync', 'link', 'fsync']);
      },
      { durability: 'full' },
    ));

  it('with attributes, or with a condition, is stored as any other is', () =>
    withDisk(async (storage) => {
      for (const options of [{ metadata: { of: 'it' } }, { cacheControl: 'no-store' }, { ifNoneMatch: '*' as const }]) {
        const file = await store(storage, randomUUID(), 'bytes', options);
        expect(await storage.info(file.key)).toEqual(file);
        expect(storage.disk.calls.filter((call) => call === 'futimes')).toHaveLength(1);
        storage.disk.calls.length = 0;
      }
      await expect(store(storage, 'key', 'bytes', { ifMatch: 'other' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
    }));

  it('below a folder is stored there, and never behind a link that was put in the place of the folder', () =>
    withRoot((outside) =>
      withDisk(async (storage, root) => {
        await store(storage, 'a/b/one', 'of one');
        await store(storage, 'a/b/two', 'of two');
        expect(await readFile(join(root, 'a/b/two'), 'utf8')).toBe('of two');
        await rename(join(root, 'a/b'), join(outside, 'b'));
        await symlink(join(outside, 'b'), join(root, 'a/b'));
        await store(storage, 'a/b/three', 'of three');
        await rename(join(root, 'a'), join(root, 'moved'));
        await symlink(join(root, 'moved'), join(root, 'a'));
        await store(storage, 'a/four', 'of four');
        await symlink(join(outside, 'nowhere'), join(root, 'dangling'));
        await store(storage, 'dangling/five', 'of five');
        for (const [key, text] of Object.entries({
          'a/b/three': 'of three',
          'a/four': 'of four',
          'dangling/five': 'of five',
        }))
          expect(String(await storage.getBytes(key))).toBe(text);
        expect(await filesBelow(outside)).toEqual(['b/one', 'b/two']);
        expect(await filesBelow(join(root, 'moved'))).toEqual(['b']);
      }),
    ));

  it('that is not free after all is met as by any other put, and nothing of another is lost', () =>
    withRoot((outside) =>
      withDisk(async (storage, root) => {
        const old = await storage.put('object', 'old', { metadata: { of: 'old' } });
        const file = await store(storage, 'object', 'new');
        expect(await storage.info('object')).toEqual(file);
        expect(file.etag).not.toBe(old.etag);
        expect(file.metadata).toEqual({});
        await expect(storage.delete('object', { ifMatch: old.etag })).rejects.toMatchObject({
          code: 'PRECONDITION_FAILED',
        });

        await storage.put('folder/below', 'below');
        await mkdir(join(root, 'empty/deep'), { recursive: true });
        await writeFile(join(outside, 'secret'), 'secret');
        await symlink(join(outside, 'secret'), join(root, 'link'));
        const keys = ['folder', 'empty', 'link', 'object/below', 'x'.repeat(300), '.storages/tmp/x'];
        for (const key of keys) await store(storage, key, `of ${key}`);
        for (const key of keys) expect(String(await storage.getBytes(key))).toBe(`of ${key}`);
        expect(String(await storage.getBytes('folder/below'))).toBe('below');
        expect((await lstat(join(root, 'link'))).isSymbolicLink()).toBe(true);
        expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
        expect((await keysOf(storage)).sort()).toEqual([...keys, 'folder/below', 'object'].sort());
        expect((await leftIn(root)).filter((path) => !path.startsWith('.storages/over/'))).toEqual([]);
      }),
    ));

  it('that two storages of one root take for theirs ends as one of the two, whole', () =>
    withDisk(async (storage, root) => {
      await using other = new FaultyDiskStorage({ root, durability: 'fast' });
      for (let i = 0; i < 50; i++) {
        const files = await Promise.all([
          store(storage, `key-${i}`, 'one'),
          store(other, `key-${i}`, 'another'),
          store(storage, `key-${i}`, 'a third'),
        ]);
        const stored = await other.info(`key-${i}`);
        expect(files.map(({ etag }) => etag)).toContain(stored.etag);
        expect(await storage.getBytes(`key-${i}`)).toHaveLength(stored.size);
      }
      expect(await leftIn(root)).toEqual([]);
    }));

  it.each([
    ['ENOSPC', 'QUOTA_EXCEEDED'],
    ['EIO', 'STORAGE_FAILURE'],
    ['EACCES', 'PERMISSION_DENIED'],
  ] as const)('leaves nothing when a call fails with %s', (errno, code) =>
    withDisk(
      async (storage, root) => {
        const calls: DiskCall[] = ['open', 'writev', 'fsync', 'fstat', 'close', 'link', 'unlink', 'rename'];
        for (const call of calls) {
          const key = call === 'rename' ? randomUUID() : 'key';
          for (const data of [Buffer.from('bytes'), Readable.from([Buffer.alloc(100_000)], { objectMode: false })]) {
            storage.disk.before = (name) => {
              if (name !== call) return;
              storage.disk.before = () => undefined;
              throw systemError(errno);
            };
            await expect(store(storage, key, data)).rejects.toMatchObject({ code, key });
            expect(await filesBelow(root)).toEqual(expect.not.arrayContaining([key]));
            expect(await leftIn(root)).toEqual([]);
          }
        }
      },
      { durability: 'full' },
    ),
  );

  it('is not there when its folder cannot be flushed, nor is any other new key', () =>
    withDisk(
      async (storage, root) => {
        const metadata = { by: 'ada' };
        const options: readonly PutOptions[] = [FRESH, {}, { ifNoneMatch: '*' }, { metadata }];
        for (const each of options) {
          let flushes = 0;
          storage.disk.before = (call) => {
            // the file's own is the first, that of its attributes and of their folder come next
            if (call !== 'fsync' || ++flushes < (each.metadata === undefined ? 2 : 4)) return;
            storage.disk.before = () => undefined;
            throw systemError('EIO');
          };
          const stored = each === FRESH ? store(storage, 'key', 'bytes') : storage.put('key', 'bytes', each);
          await expect(stored).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
          expect(await storage.exists('key')).toBe(false);
          expect((await leftIn(root)).filter((path) => !path.startsWith('.storages/locks/'))).toEqual([]);
        }
      },
      { durability: 'full' },
    ));

  it('is not stored once its put was aborted', () =>
    withDisk(async (storage, root) => {
      const controller = new AbortController();
      storage.disk.before = (call) => {
        if (call === 'fstat') controller.abort();
      };
      const stored = storage.put('key', 'bytes', { ...FRESH, signal: controller.signal });
      await expect(stored).rejects.toMatchObject({ code: 'ABORTED' });
      expect((await filesBelow(root)).filter((path) => !path.startsWith('.storages/procs/'))).toEqual([]);
    }));
});

describe('a fresh key', () => {
  it('costs the same calls where the file system may wait at each of them', () =>
    withRoot(async (root) => {
      await using storage = new FaultyDiskStorage({ root, durability: 'fast' });
      storage.disk.learn = () => Promise.resolve();
      await storage.open();
      storage.disk.calls.length = 0;
      const file = await storage.put('key', 'bytes', FRESH);
      expect(storage.disk.calls).toEqual(['open', 'writev', 'fstat', 'close', 'link', 'unlink']);
      expect(await storage.info('key')).toEqual(file);
    }));

  it('stays one behind a view', () =>
    withDisk(async (storage) => {
      const view = new ScopedStorage(storage, 'view');
      await view.put(randomUUID(), 'bytes', FRESH); // makes the folder
      storage.disk.calls.length = 0;
      await (await view.stage(randomUUID(), 'bytes', FRESH)).commit();
      expect(storage.disk.calls).toEqual(['open', 'writev', 'fstat', 'close', 'rename']);
    }));

  it('whose process was killed between stage and commit leaves nothing once the root is opened again', () =>
    withRoot(async (root) => {
      const child = new Child('stage', [root, 'key']);
      expect(await child.line()).toBe('staged');
      await child.kill();
      expect(await leftIn(root)).toHaveLength(1);
      await using storage = new FaultyDiskStorage({ root, durability: 'fast' });
      expect(await keysOf(storage)).toEqual([]);
      expect(await leftIn(root)).toEqual([]);
    }));

  it('whose process was killed between the link and the end of its temporary is stored whole, once', () =>
    withRoot(async (root) => {
      const child = new Child('stage', [root, 'key', 'linked']);
      expect(await child.line()).toBe('linked');
      await child.kill();
      await using storage = new FaultyDiskStorage({ root, durability: 'fast' });
      expect(await keysOf(storage)).toEqual(['key']);
      expect(String(await storage.getBytes('key'))).toBe('bytes');
      expect(await leftIn(root)).toEqual([]);
      expect((await lstat(join(root, 'key'))).nlink).toBe(1);
    }));
});
