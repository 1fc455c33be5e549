import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys, sanitizeKey, type FileSystemStorage } from 'nestjs-storages';
import { decodeOverflowName, Layout } from '../../lib/backends/filesystem/layout.js';
import { filesBelow, keysOf, withRoot, withStorage } from './temporary-root.js';

const run = promisify(execFile);

const part = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    '.storages',
    'tmp',
    'f',
    'd',
    'm',
    'x'.repeat(255),
    'x'.repeat(256),
    'ü'.repeat(130),
    '%2F',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
);
const key = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))
  .filter((text) => {
    try {
      return sanitizeKey(text) === text;
    } catch {
      return false;
    }
  });

/** The key that a path in the overflow tree stands for. */
function decode(layout: Layout, path: string): string {
  const names = path.slice(layout.overflowTree.length + 1).split('/');
  return names.map((name) => decodeOverflowName(name)?.text ?? '?').join('');
}

async function entriesOf(storage: FileSystemStorage, prefix = ''): Promise<string[]> {
  const entries: string[] = [];
  for await (const entry of storage.listEntries(prefix)) {
    entries.push(entry.kind === 'file' ? entry.file.key : entry.prefix);
  }
  return entries;
}

describe('the mapping of keys to paths', () => {
  const layout = new Layout('/srv/root');

  it('is reversible in the overflow tree, with names that every file system holds', () => {
    fc.assert(
      fc.property(key, (text) => {
        const path = layout.overflow(text);
        expect(decode(layout, path)).toBe(text);
        for (const name of path.split('/')) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });

  it.each(['.Storages', '.STORAGES/locks/kkey', '.\u017ftorages/x', '.\ufb06orages', '\ufeff.sto\u200brages/x'])(
    'keeps %j, which leads to the private folder where names are folded, out of it',
    (text) =>
      withStorage(async (storage, root) => {
        expect(layout.natural(text)).toBeUndefined();
        await storage.put(text, 'bytes');
        expect(await keysOf(storage)).toEqual([text]);
        expect(await readdir(root)).toEqual(['.storages']);
        // one that a stranger has dropped in is no object
        const [first = ''] = text.split('/');
        await mkdir(join(root, first));
        await writeFile(join(root, first, 'dropped'), '');
        expect(await keysOf(storage)).toEqual([text]);
        expect((await storage.check()).problems).toMatchObject([{ kind: 'foreign', path: first }]);
      }),
  );

  it('gives an ordinary key its ordinary path, and none where the tree cannot hold it', () => {
    expect(layout.natural('a b/ü?.txt')).toBe('/srv/root/a b/ü?.txt');
    expect(layout.natural('.storages')).toBeUndefined();
    expect(layout.natural('.storages/tmp/x')).toBeUndefined();
    expect(layout.natural('.storage/x')).toBe('/srv/root/.storage/x');
    expect(layout.natural('.storages2/x')).toBe('/srv/root/.storages2/x');
    expect(layout.natural('a/.storages/x')).toBe('/srv/root/a/.storages/x');
    expect(layout.natural('x'.repeat(255))).toBe(`/srv/root/${'x'.repeat(255)}`);
    expect(layout.natural(`a/${'x'.repeat(256)}`)).toBeUndefined();
    expect(layout.natural('ü'.repeat(128))).toBeUndefined();
  });

  it('keeps every object apart, listed once and in order, whatever their keys', () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 8 }), (keys) =>
        withStorage(async (storage, root) => {
          for (const item of keys) await storage.put(item, `of ${item}`);
          expect(await keysOf(storage)).toEqual([...keys].sort(compareKeys));
          for (const item of keys) expect(String(await storage.getBytes(item))).toBe(`of ${item}`);
          for (const item of keys) await storage.delete(item);
          expect((await filesBelow(root)).filter((path) => !path.startsWith('.storages/procs/'))).toEqual([]);
        }),
      ),
      { numRuns: 30 },
    ));
});

describe('an object beside a folder of its name', () => {
  it.each([
    ['a', 'a/b'],
    ['a/b', 'a'],
  ])('is kept, %s first', (first, second) =>
    withStorage(async (storage) => {
      await storage.put(first, first);
      await storage.put(second, second);
      expect(await keysOf(storage)).toEqual(['a', 'a/b']);
      expect(await entriesOf(storage)).toEqual(['a', 'a/']);
      await storage.delete(first);
      expect(await keysOf(storage)).toEqual([second]);
      expect(String(await storage.getBytes(second))).toBe(second);
      await storage.put(first, 'again');
      expect(await keysOf(storage)).toEqual(['a', 'a/b']);
    }),
  );

  it('takes the place of empty folders', () =>
    withStorage(async (storage, root) => {
      await mkdir(join(root, 'a/b/c'), { recursive: true });
      await storage.put('a', 'bytes');
      expect(await readFile(join(root, 'a'), 'utf8')).toBe('bytes');
    }));
});

describe('a file that was dropped in by hand', () => {
  it('is an object with default attributes', () =>
    withStorage(async (storage, root) => {
      await mkdir(join(root, 'in'));
      await writeFile(join(root, 'in/hand.png'), 'bytes');
      await utimes(join(root, 'in/hand.png'), 1, 1);
      const file = await storage.info('in/hand.png');
      expect(file).toMatchObject({ size: 5, contentType: 'image/png', metadata: {}, lastModified: new Date(1000) });
      expect(await keysOf(storage)).toEqual(['in/hand.png']);
      const next = await storage.put('in/hand.png', 'others', { ifMatch: file.etag, metadata: { by: 'put' } });
      expect(await storage.info('in/hand.png')).toEqual(next);
    }));

  it('has the attributes of its original if it was copied with mode and times, and else default ones', () =>
    withStorage(async (storage, root) => {
      const original = await storage.put('a.txt', 'bytes', { metadata: { of: 'a' } });
      await run('cp', ['-a', join(root, 'a.txt'), join(root, 'new')]);
      await rm(join(root, 'a.txt'));
      await run('cp', ['-a', join(root, 'new'), join(root, 'a.txt')]);
      expect((await storage.info('a.txt')).metadata).toEqual(original.metadata);
      expect((await storage.info('new')).metadata).toEqual({});
      expect(String(await storage.getBytes('new'))).toBe('bytes');
    }));

  it('with a name that is no part of a key is not listed', () =>
    withStorage(async (storage, root) => {
      await writeFile(join(root, 'back\\slash'), '');
      await writeFile(join(root, 'line\nbreak'), '');
      await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff])]), '');
      expect(await keysOf(storage)).toEqual([]);
    }));
});

describe('what is no file', () => {
  it('is neither followed nor listed, and never waited for', () =>
    withRoot((outside) =>
      withStorage(async (storage, root) => {
        await mkdir(join(outside, 'folder'));
        await writeFile(join(outside, 'folder/secret'), 'secret');
        await symlink(join(outside, 'folder/secret'), join(root, 'leaf'));
        await symlink(join(outside, 'folder'), join(root, 'parent'));
        await symlink(join(outside, 'nowhere'), join(root, 'dangling'));
        await symlink('loop', join(root, 'loop'));
        await run('mkfifo', [join(root, 'fifo')]);
        const server = createServer().listen(join(root, 'socket'));
        try {
          const odd = [
            'leaf',
            'parent',
            'parent/secret',
            'dangling',
            'dangling/x',
            'dangling/x/y',
            'loop',
            'loop/x',
            'fifo',
            'socket',
          ];
          for (const name of odd) {
            await expect(storage.get(name)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
            await expect(storage.getBytes(name)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
            await expect(storage.info(name)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
            await expect(storage.delete(name)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
            expect(await storage.exists(name)).toBe(false);
          }
          expect(await keysOf(storage)).toEqual([]);
          expect(await keysOf(storage, 'parent/')).toEqual([]);
          expect(await entriesOf(storage)).toEqual([]);
          expect(await entriesOf(storage, 'parent/')).toEqual([]);
          // They stay what they are, and the objects of their names lie elsewhere.
          const names = [...odd, 'parent/new', 'parent/new/deep'];
          for (const name of names) await storage.put(name, `of ${name}`);
          for (const name of names) expect(String(await storage.getBytes(name))).toBe(`of ${name}`);
          expect(await keysOf(storage)).toEqual([...names].sort(compareKeys));
          expect(await filesBelow(outside)).toEqual(['folder/secret']);
          expect(await readFile(join(outside, 'folder/secret'), 'utf8')).toBe('secret');
          for (const name of names) await storage.delete(name);
          expect(await readFile(join(root, 'leaf'), 'utf8')).toBe('secret');
        } finally {
          server.close();
        }
      }),
    ));

  it('cannot be reached by a prefix either', () =>
    withRoot((outside) =>
      withStorage(async (storage, root) => {
        await writeFile(join(outside, 'secret'), '');
        const name = outside.slice(outside.lastIndexOf('/') + 1);
        for (const prefix of [
          `../${name}/`,
          `x/../../${name}/`,
          `${root}/../${name}/`,
          './',
          '//',
          '.storages/procs/',
        ]) {
          expect(await keysOf(storage, prefix)).toEqual([]);
          expect(await entriesOf(storage, prefix)).toEqual([]);
        }
      }),
    ));
});

describe('folders', () => {
  it.each(['full', 'fast'] as const)(
    'go with their last object, and a put into one that is going is not lost (%s)',
    (durability) =>
      withStorage(
        async (storage, root) => {
          const lane = async (name: string): Promise<void> => {
            for (let i = 0; i < 60; i++) {
              const file = await storage.put(`deep/er/${name}`, String(i));
              expect(await storage.info(`deep/er/${name}`)).toEqual(file);
              await storage.delete(`deep/er/${name}`);
            }
          };
          await Promise.all(['a', 'b', 'c', 'd'].map(lane));
          expect((await filesBelow(root)).filter((path) => !path.startsWith('.storages/'))).toEqual([]);
          await storage.close();
          await expect(readFile(join(root, '.storages'))).rejects.toMatchObject({ code: 'ENOENT' });
        },
        { durability },
      ),
  );

  it('that go while many of their objects are deleted at once hold nobody up', () =>
    withStorage(
      async (storage) => {
        for (let round = 0; round < 5; round++) {
          const keys = Array.from({ length: 20 }, (_, i) => `folder/${i}`);
          await Promise.all(keys.map((key) => storage.put(key, 'bytes')));
          await Promise.all(keys.map((key) => storage.delete(key)));
        }
        expect(await keysOf(storage)).toEqual([]);
      },
      { durability: 'full' },
    ));
});
