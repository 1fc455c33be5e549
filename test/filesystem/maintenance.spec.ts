import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FileSystemStorage, type StoredFile } from 'nestjs-storages';
import { Child } from './process/child.js';
import { filesBelow, keysOf, withRoot, withStorage } from './temporary-root.js';

const run = promisify(execFile);

async function attributeFiles(root: string): Promise<string[]> {
  return (await filesBelow(root)).filter((path) => path.startsWith('.storages/attrs/'));
}

async function listed(storage: FileSystemStorage): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const file of storage.list()) files.push(file);
  return files;
}

/** What a stranger has put elsewhere. */
const AWAY = '-away';

const DAMAGES: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ['empty', (path) => truncate(path, 0)],
  ['cut short', (path) => truncate(path, 20)],
  ['zeros', (path) => writeFile(path, Buffer.alloc(100))],
  ['of another key', (path) => writeFile(path, '{"key":"other","contentType":"a/b","metadata":{}}')],
  ['of another form', (path) => writeFile(path, '{"key":"b.txt","contentType":7,"metadata":null}')],
  ['gone', (path) => rm(path)],
  [
    'a FIFO',
    async (path) => {
      await rm(path);
      await run('mkfifo', [path]);
    },
  ],
  [
    'a folder',
    async (path) => {
      await rm(path);
      await mkdir(path);
    },
  ],
  [
    'behind a link',
    async (path) => {
      await rename(path, path + AWAY);
      await symlink(path + AWAY, path);
    },
  ],
];

describe.each(DAMAGES)('attributes that a power cut or a stranger left %s', (_name, damage) => {
  it('count as none: the object is read and listed with default ones, beside all others, and is told of by check()', () =>
    withStorage(async (storage, root) => {
      await storage.put('b.txt', 'bytes', { contentType: 'x/y', metadata: { of: 'b' } });
      const [path = ''] = await attributeFiles(root);
      for (const key of ['a', 'c']) await storage.put(key, key, { metadata: { of: key } });
      await damage(join(root, path));
      const file = await storage.info('b.txt');
      expect(file).toMatchObject({ size: 5, contentType: 'text/plain', metadata: {} });
      expect(await listed(storage)).toEqual([await storage.info('a'), file, await storage.info('c')]);
      expect((await storage.get('b.txt')).file).toEqual(file);
      expect(String(await storage.getBytes('b.txt'))).toBe('bytes');
      const report = await storage.check();
      expect(report).toMatchObject({ ok: false, objects: 3, bytes: 7 });
      expect(report.problems).toEqual([
        { kind: 'unreadable-attributes', key: 'b.txt', message: expect.stringContaining('default') },
      ]);

      const moved = await storage.move('b.txt', 'moved.txt');
      expect(moved).toMatchObject({ size: 5, contentType: 'text/plain', metadata: {} });
      const again = await storage.put('moved.txt', 'again', { ifMatch: moved.etag, metadata: { of: 'again' } });
      expect(await storage.info('moved.txt')).toEqual(again);
      expect(await storage.check()).toEqual({ ok: true, objects: 3, bytes: 7, problems: [] });
      for (const key of ['a', 'c', 'moved.txt']) await storage.delete(key);
      await storage.close();
      expect((await filesBelow(root)).filter((file) => !file.endsWith(AWAY))).toEqual([]);
    }));
});

describe('a check', () => {
  it('finds nothing wrong beside writers, at whatever step they are', () =>
    withStorage(async (storage) => {
      let going = true;
      const lane = async (name: string): Promise<void> => {
        for (let i = 0; going; i++) {
          await storage.put(name, `${i}`, i % 3 === 0 ? {} : { metadata: { i: `${i}` } });
          await storage.put(`${name}/below`, `${i}`, { metadata: { i: `${i}` } });
          await storage.move(name, `${name}.moved`);
          await storage.delete(`${name}.moved`);
          if (i % 2 === 0) await storage.delete(`${name}/below`);
        }
      };
      const lanes = ['a', 'b', 'c', 'd'].map(lane);
      try {
        for (let i = 0; i < 40; i++) expect((await storage.check()).problems).toEqual([]);
      } finally {
        going = false;
        await Promise.all(lanes);
      }
    }));

  it('names what is no object and what is without one, by paths below the root alone', () =>
    withStorage(async (storage, root) => {
      await storage.put('folder/x', 'bytes');
      await storage.put('folder', 'an object beside a folder');
      await storage.put('gone', 'bytes', { metadata: { a: 'b' } });
      await rm(join(root, 'gone'));
      await rm(join(root, 'folder'), { recursive: true });
      await writeFile(join(root, 'folder'), 'a file that hides the object');
      await symlink('/nowhere', join(root, 'link'));
      await run('mkfifo', [join(root, 'fifo')]);
      await writeFile(join(root, 'back\\slash'), '');
      await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff])]), '');
      await mkdir(join(root, '.storages/mine'));
      await writeFile(join(root, '.storages/tmp/mine'), '');
      await writeFile(join(root, '.storages/over/mine'), '');
      const server = createServer().listen(join(root, 'socket'));
      await once(server, 'listening');
      try {
        const { ok, objects, problems } = await storage.check();
        expect({ ok, objects }).toEqual({ ok: false, objects: 1 });
        const found = problems.map(
          ({ kind, key, path }) => `${kind} ${key ?? ''} ${path?.replace(/attrs.*/, 'attrs') ?? ''}`,
        );
        expect(found.sort()).toEqual(
          [
            'foreign  .storages/mine',
            'foreign  .storages/over/mine',
            'foreign  .storages/tmp/mine',
            'foreign  back\\slash',
            'foreign  f\ufffd',
            'foreign  fifo',
            'foreign  link',
            'foreign  socket',
            'hidden-object folder .storages/over/ffolder',
            'orphaned-attributes gone .storages/attrs',
          ].sort(),
        );
        expect(JSON.stringify(problems)).not.toContain(root);
      } finally {
        server.close();
      }
    }));

  it('names what lies in the place of locks, and neither it nor an opening waits for that', () =>
    withStorage(async (storage, root) => {
      await storage.put('key', 'bytes');
      const locks = join(root, '.storages/locks');
      await run('mkfifo', [join(locks, 'kfifo')]);
      await mkdir(join(locks, 'kfolder'));
      await symlink(join(root, 'key'), join(locks, 'klink'));
      const found = (await storage.check()).problems.map(({ kind, path }) => [kind, path]);
      expect(found.sort()).toEqual(['kfifo', 'kfolder', 'klink'].map((name) => ['foreign', `.storages/locks/${name}`]));
      await using other = new FileSystemStorage({ root });
      expect(await keysOf(other)).toEqual(['key']);
    }));

  it('names what a killed process left, and a sweep removes that and nothing of a living one', () =>
    withRoot(async (root) => {
      await using storage = new FileSystemStorage({ root, durability: 'fast' });
      await storage.open();
      const staged = await storage.stage('staged', 'bytes');
      const children = [new Child('stream', [root, 'killed']), new Child('stream', [root, 'living'])];
      for (const child of children) expect(await child.line()).toBe('writing');
      const holding = new Child('hold', [root, 'a/key', 'rename']);
      expect(await holding.line()).toBe('holding');
      expect((await storage.check()).problems).toEqual([]);
      await children[0]?.kill();
      await holding.kill();
      const left = (await storage.check()).problems;
      expect(new Set(left.map(({ kind }) => kind))).toEqual(new Set(['leftover']));
      // two temporaries, one lock, and the records and sockets of two storages
      expect(left).toHaveLength(7);
      expect(await storage.sweep({ olderThan: '1h' })).toEqual({ temporaries: 2, locks: 1, attributes: 0 });
      expect((await storage.check()).problems).toEqual([]);
      expect(await readdir(join(root, '.storages/tmp'))).toHaveLength(2);
      await staged.commit();
      expect(String(await storage.getBytes('staged'))).toBe('bytes');
      await children[1]?.kill();
    }));
});

describe('a sweep', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('removes attributes without an object once they have been that for long enough, damaged ones too', () =>
    withStorage(async (storage, root) => {
      await storage.put('kept', 'bytes', { metadata: { is: 'kept' } });
      await storage.put('gone', 'bytes', { metadata: { is: 'gone' } });
      await storage.put('damaged', 'bytes', { metadata: { is: 'damaged' } });
      await storage.put('damaged and gone', 'bytes', { metadata: { is: 'damaged and gone' } });
      const files = await attributeFiles(root);
      expect(files).toHaveLength(4);
      await writeFile(join(root, '.storages/attrs/mine'), 'of a stranger');
      await mkdir(join(root, '.storages/attrs/00'), { recursive: true });
      await writeFile(join(root, '.storages/attrs/00/mine'), 'of a stranger');
      const damage = async (key: string): Promise<void> => {
        for (const path of files) {
          if (String(await readFile(join(root, path))).includes(`{"key":"${key}"`)) await truncate(join(root, path), 3);
        }
      };
      await damage('damaged');
      await damage('damaged and gone');
      await rm(join(root, 'gone'));
      await rm(join(root, 'damaged and gone'));
      expect(await storage.sweep({ olderThan: '1h' })).toEqual({ temporaries: 0, locks: 0, attributes: 0 });
      expect(await storage.sweep({ olderThan: 0 })).toEqual({ temporaries: 0, locks: 0, attributes: 1 });
      // what cannot be read may be a writer's of this moment
      const now = Date.now();
      jest.spyOn(Date, 'now').mockReturnValue(now + 7_200_000);
      expect(await storage.sweep({ olderThan: '3h' })).toEqual({ temporaries: 0, locks: 0, attributes: 0 });
      expect(await storage.sweep({ olderThan: '1h' })).toEqual({ temporaries: 0, locks: 0, attributes: 1 });
      expect((await storage.info('kept')).metadata).toEqual({ is: 'kept' });
      expect(await attributeFiles(root)).toHaveLength(4);
      expect(await keysOf(storage)).toEqual(['damaged', 'kept']);
    }));

  it.each([undefined, {}, { olderThan: -1 }, { olderThan: 'soon' }, { olderThan: Number.NaN }])(
    'refuses %j, which says no age',
    (options) =>
      withStorage(async (storage) => {
        await expect(storage.sweep(options as { olderThan: number })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining('olderThan'),
        });
      }),
  );
});
