import { execFile } from 'node:child_process';
import { renameSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import {
  appendFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type StoredFile } from 'nestjs-storages';
import { FaultyDiskStorage } from './faulty-disk.js';
import { filesBelow, keysOf, withRoot, withStorage } from './temporary-root.js';

const run = promisify(execFile);

async function listed(storage: FileSystemStorage): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const file of storage.list()) files.push(file);
  return files;
}

describe('files that strangers touch while a storage runs', () => {
  it('are what they are at each moment: dropped in, changed, replaced, cut, touched, removed', () =>
    withStorage(async (storage, root) => {
      const path = join(root, 'in/file.txt');
      await storage.put('in/beside', 'beside', { metadata: { of: 'beside' } });
      const etags = new Set<string>();
      const expectNow = async (bytes: string): Promise<void> => {
        const file = await storage.info('in/file.txt');
        expect(file).toMatchObject({ size: bytes.length, contentType: 'text/plain', metadata: {} });
        expect(String(await storage.getBytes('in/file.txt'))).toBe(bytes);
        expect(await listed(storage)).toEqual([await storage.info('in/beside'), file]);
        expect(etags).not.toContain(file.etag);
        etags.add(file.etag);
      };
      await writeFile(path, 'dropped in');
      await expectNow('dropped in');
      await appendFile(path, ', and more');
      await expectNow('dropped in, and more');
      await writeFile(join(root, 'new'), 'replaced');
      await rename(join(root, 'new'), path);
      await expectNow('replaced');
      await truncate(path, 3);
      await expectNow('rep');
      await utimes(path, 1, 1);
      await expectNow('rep');
      await unlink(path);
      expect(await storage.exists('in/file.txt')).toBe(false);
      expect(await keysOf(storage)).toEqual(['in/beside']);
      await expect(storage.delete('in/file.txt')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    }));

  it('lose the attributes that were of other bytes, and a condition on the version of before is refused', () =>
    withStorage(async (storage, root) => {
      for (const change of [
        (path: string) => appendFile(path, ' changed'),
        (path: string) => writeFile(path, 'other'),
        (path: string) => utimes(path, 1, 1),
      ]) {
        const file = await storage.put('key', 'bytes', { metadata: { of: 'bytes' } });
        await change(join(root, 'key'));
        expect((await storage.info('key')).metadata).toEqual({});
        for (const call of [
          () => storage.put('key', 'new', { ifMatch: file.etag }),
          () => storage.delete('key', { ifMatch: file.etag }),
          () => storage.get('key', { ifMatch: file.etag }),
        ])
          await expect(call()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
        await storage.delete('key');
      }
      expect((await storage.check()).problems.every(({ kind }) => kind === 'orphaned-attributes')).toBe(true);
      expect(await storage.sweep({ olderThan: 0 })).toEqual({ temporaries: 0, locks: 0, attributes: 3 });
      expect((await storage.check()).ok).toBe(true);
    }));

  it('may go at any moment: each call ends, with what was there or with nothing', () =>
    withStorage(async (storage, root) => {
      let going = true;
      const folder = join(root, 'folder');
      const steps = [
        () => rm(folder, { recursive: true, force: true }),
        () => mkdir(join(folder, 'key'), { recursive: true }),
        () => rm(join(folder, 'key'), { recursive: true, force: true }),
        () => writeFile(join(folder, 'key'), 'of a stranger'),
      ];
      const stranger = async (): Promise<void> => {
        // the storage is in the stranger's way too
        while (going) for (const step of steps) await step().catch(() => undefined);
      };
      const strange = stranger();
      const codes = new Set<unknown>();
      try {
        for (let i = 0; i < 30; i++) {
          const put = await storage.put('folder/key', `mine ${i}`, { metadata: { i: `${i}` } });
          expect(put.size).toBe(`mine ${i}`.length);
          const body = await storage.getBytes('folder/key').then(String, (error: unknown) => {
            codes.add((error as { code?: unknown }).code);
            return 'of a stranger';
          });
          // one that writes in place may be met in the middle
          if (body !== `mine ${i}`) expect('of a stranger').toContain(body);
          await listed(storage);
        }
      } finally {
        going = false;
        await strange;
      }
      for (const code of codes) expect(['FILE_NOT_FOUND', 'INTEGRITY_FAILED']).toContain(code);
      await storage.sweep({ olderThan: 0 });
      await storage.delete('folder/key', { force: true });
      expect((await storage.check()).problems).toEqual([]);
    }));
});

describe('a link that is put in the way during a put', () => {
  it.each([
    ['at the key, to a file outside', 'folder/key', 'secret'],
    ['at the key, to nowhere', 'folder/key', 'nowhere'],
    ['in the place of its folder', 'folder', '.'],
  ])('is never followed: %s', (_where, at, target) =>
    withRoot((outside) =>
      withStorage(async (storage, root) => {
        await writeFile(join(outside, 'secret'), 'secret');
        await storage.put('folder/key', 'old', { metadata: { version: 'old' } });
        let swapped = false;
        const source = new Readable({
          read() {
            if (swapped) {
              this.push(null);
              return;
            }
            swapped = true;
            void rm(join(root, at), { recursive: true })
              .then(() => symlink(join(outside, target), join(root, at)))
              .then(() => this.push('new bytes'));
          },
        });
        await storage.put('folder/key', source, { metadata: { version: 'new' } });
        expect(String(await storage.getBytes('folder/key'))).toBe('new bytes');
        expect((await storage.info('folder/key')).metadata).toEqual({ version: 'new' });
        expect(await keysOf(storage)).toEqual(['folder/key']);
        expect(await filesBelow(outside)).toEqual(['secret']);
        expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
        await storage.delete('folder/key');
        expect(await filesBelow(outside)).toEqual(['secret']);
      }),
    ),
  );

  it('in the place of its folder, at the very moment of a read, is not followed either', () =>
    withRoot((outside) =>
      withRoot(async (root) => {
        await using storage = new FaultyDiskStorage({ root, durability: 'fast' });
        await writeFile(join(outside, 'key'), 'secret');
        await storage.put('folder/key', 'mine');
        const reads = {
          get: async () => (await storage.get('folder/key')).destroy(),
          getBytes: () => storage.getBytes('folder/key'),
        };
        for (const read of Object.values(reads)) {
          storage.disk.before = (call, path) => {
            if (call !== 'open' || path !== join(root, 'folder/key')) return;
            storage.disk.before = () => undefined;
            renameSync(join(root, 'folder'), join(root, 'away'));
            symlinkSync(outside, join(root, 'folder'));
          };
          await expect(read()).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
          await unlink(join(root, 'folder'));
          await rename(join(root, 'away'), join(root, 'folder'));
          expect(String(await storage.getBytes('folder/key'))).toBe('mine');
        }
      }),
    ));

  it.each(['fifo', 'socket'])('or a %s there blocks nobody, and the object lies elsewhere', (kind) =>
    withStorage(async (storage, root) => {
      const path = join(root, 'key');
      await storage.put('key', 'old');
      await rm(path);
      const server = createServer();
      if (kind === 'fifo') await run('mkfifo', [path]);
      else await once(server.listen(path), 'listening');
      try {
        await expect(storage.get('key')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
        await storage.put('key', 'new');
        expect(String(await storage.getBytes('key'))).toBe('new');
        expect((await stat(path)).isFile()).toBe(false);
        expect(await keysOf(storage)).toEqual(['key']);
      } finally {
        server.close();
      }
    }),
  );
});

describe('a root that disappears', () => {
  it('is empty until it comes back, and then as it was, without a restart', () =>
    withStorage(
      async (storage, root) => {
        const file = await storage.put('a/key', 'bytes', { metadata: { of: 'it' } });
        const staged = await storage.stage('staged', 'bytes');
        await rename(root, `${root}-away`);
        expect(await keysOf(storage)).toEqual([]);
        expect(await storage.exists('a/key')).toBe(false);
        await expect(storage.get('a/key')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
        await expect(staged.commit()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
        // what the call for the staged one has made meanwhile
        await rm(root, { recursive: true, force: true });
        await rename(`${root}-away`, root);
        expect(await storage.info('a/key')).toEqual(file);
        expect(String(await storage.getBytes('a/key'))).toBe('bytes');
        await storage.put('a/key', 'new', { ifMatch: file.etag });
        expect(await keysOf(storage)).toEqual(['a/key']);
      },
      { durability: 'full' },
    ));
});

const RESTORES: readonly (readonly [string, (from: string, to: string) => Promise<unknown>])[] = [
  ['cp -a', (from, to) => run('cp', ['-a', `${from}/.`, to])],
  ['rsync -a', (from, to) => run('rsync', ['-a', `${from}/`, `${to}/`])],
  [
    'tar, in the format that keeps fractions of a second',
    async (from, to) => {
      const archive = `${to}.tar`;
      await run('tar', ['--format=posix', '-C', from, '-cf', archive, '.']);
      await run('tar', ['-C', to, '-xpf', archive]);
      await rm(archive);
    },
  ],
];

describe('a restore', () => {
  let whyNoRsync: string | undefined;
  beforeAll(async () => {
    whyNoRsync = await run('rsync', ['--version']).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (whyNoRsync !== undefined && process.env['CI'] !== 'true') {
      console.log(`A restore by rsync was not tried: it is not installed here (${whyNoRsync}).`);
    }
  });

  it.each(RESTORES)('by %s brings every object with its attributes, also of a root that is in use', (name, restore) =>
    withRoot((root) =>
      withRoot(async (other) => {
        if (name.startsWith('rsync')) {
          if (process.env['CI'] === 'true') expect(whyNoRsync).toBeUndefined();
          if (whyNoRsync !== undefined) return;
        }
        await using storage = new FileSystemStorage({ root, durability: 'fast' });
        const keys = ['a', 'a/b', 'a/b/c', 'plain.txt', 'x'.repeat(401), '.storages/tmp/x', 'folder/ü ?.txt'];
        for (const key of keys)
          await storage.put(
            key,
            `of ${key}`,
            key === 'plain.txt' ? {} : { metadata: { of: encodeURIComponent(key).slice(0, 200) } },
          );
        await (await storage.stage('staged', 'not committed')).abort();
        await restore(root, other);
        await using restored = new FileSystemStorage({ root: other });
        // inodes are others, and so are the etags
        const known = ({ etag: _, ...rest }: StoredFile): Omit<StoredFile, 'etag'> => rest;
        expect((await listed(restored)).map(known)).toEqual((await listed(storage)).map(known));
        for (const key of keys) expect(String(await restored.getBytes(key))).toBe(`of ${key}`);
        expect((await restored.check()).problems).toEqual([]);
        const file = await restored.info('a/b');
        expect(await restored.put('a/b', 'new', { ifMatch: file.etag, metadata: { is: 'new' } })).toEqual(
          await restored.info('a/b'),
        );
        for (const key of keys) await restored.delete(key);
        await restored.close();
        // the socket of the storage that was in use belongs to a living one, in another place
        expect((await filesBelow(other)).filter((path) => !path.startsWith('.storages/procs/'))).toEqual([]);
      }),
    ),
  );
});
