import { fstatSync, readdirSync, readlinkSync } from 'node:fs';
import { copyFile, readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { FileSystemStorageConfig } from 'nestjs-storages';
import { Disk } from '../../lib/backends/filesystem/disk.js';
import { freshKey } from '../../lib/contract/index.js';
import { writeAll } from '../../lib/backends/filesystem/source-writer.js';
import { until } from '../until.js';
import { FaultyDiskStorage, systemError, type DiskCall } from './faulty-disk.js';
import { filesBelow, withRoot } from './temporary-root.js';

const MIB = 1024 * 1024;

function withDisk<T>(
  test: (storage: FaultyDiskStorage, root: string) => Promise<T>,
  config: Omit<FileSystemStorageConfig, 'root'> = { durability: 'fast' },
): Promise<T> {
  return withRoot(async (root) => {
    const storage = new FaultyDiskStorage({ ...config, root });
    try {
      await storage.open();
      return await test(storage, root);
    } finally {
      await storage.close();
    }
  });
}

/** Everything that is not an object or its attributes. */
async function leftIn(root: string): Promise<string[]> {
  return (await filesBelow(root)).filter((path) => /^\.storages\/(?:tmp|locks|break)\//.test(path));
}

/** How many descriptors of this process are of something below a folder. The others are not the storage's, and come and go. */
function openBelow(folder: string): number {
  const paths = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ''; // that of the listing itself
    }
  });
  return paths.filter((path) => path.startsWith(folder)).length;
}

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255));
}

function streamOf(bytes: Buffer, chunk: number): Readable {
  return Readable.from(
    (function* () {
      for (let i = 0; i < bytes.length; i += chunk) yield bytes.subarray(i, i + chunk);
    })(),
    { objectMode: false },
  );
}

describe('a disk that takes fewer bytes than it is given', () => {
  it.each([1000, 65_536, 100_000])('gets the rest again (%s at a time)', (largestWrite) =>
    withDisk(async (storage) => {
      storage.disk.largestWrite = largestWrite;
      const bytes = pattern(700_001);
      await storage.put('stream', streamOf(bytes, 60_000));
      await storage.put('bytes', bytes);
      storage.disk.largestWrite = Infinity;
      expect(bytes.equals(await storage.getBytes('stream'))).toBe(true);
      expect(bytes.equals(await storage.getBytes('bytes'))).toBe(true);
    }),
  );

  it('and says otherwise is not believed', () =>
    withDisk(async (storage, root) => {
      await storage.put('key', 'old');
      const writev = storage.disk.writev.bind(storage.disk);
      storage.disk.writev = async (fd, buffers) => {
        await writev(fd, [Buffer.from('!')]);
        return buffers.reduce((sum, { length }) => sum + length, 0);
      };
      await expect(storage.put('key', 'new bytes')).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
      expect(String(await storage.getBytes('key'))).toBe('old');
      expect(await leftIn(root)).toEqual([]);
    }));

  it('and takes none fails the put', () =>
    withDisk(async (storage, root) => {
      storage.disk.largestWrite = 0;
      await expect(storage.put('key', 'bytes')).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(await leftIn(root)).toEqual([]);
    }));
});

describe('a body of more bytes than one write may have', () => {
  it('is written in several', async () => {
    const disk = new Disk();
    const fd = await disk.open('/dev/null', 'w');
    // never touched, so that it takes no memory
    const bytes = Buffer.alloc(2 ** 31 + 1);
    let writes = 0;
    disk.writev = (...args) => {
      writes++;
      return Disk.prototype.writev.apply(disk, args);
    };
    await writeAll(disk, fd, [bytes]);
    await disk.close(fd);
    expect(writes).toBe(3);
  });
});

describe('a call that fails', () => {
  const calls: DiskCall[] = ['open', 'writev', 'futimes', 'fsync', 'fstat', 'close', 'link', 'rename'];
  const errors = [
    ['ENOSPC', 'QUOTA_EXCEEDED'],
    ['EDQUOT', 'QUOTA_EXCEEDED'],
    ['EACCES', 'PERMISSION_DENIED'],
    ['EROFS', 'PERMISSION_DENIED'],
    ['EMFILE', 'CONNECTION_FAILED'],
    ['EIO', 'STORAGE_FAILURE'],
  ] as const;

  it.each(errors)('with %s is a %s at every step, and the old object stays', (errno, code) =>
    withDisk(
      async (storage, root) => {
        const old = await storage.put('a/key', 'old', { metadata: { version: 'old' } });
        const descriptors = openBelow(root);
        for (const call of calls) {
          for (const metadata of [undefined, { version: 'new' }]) {
            for (const body of [Buffer.from('new bytes'), streamOf(pattern(MIB), 65_536)]) {
              storage.disk.before = (name) => {
                if (name === call) {
                  storage.disk.before = () => undefined;
                  throw systemError(errno);
                }
              };
              const failed = storage.put('a/key', body, { metadata });
              await expect(failed).rejects.toMatchObject({ code, key: 'a/key', operation: 'put' });
              await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('/a/path') });
              expect(await storage.info('a/key')).toEqual(old);
              expect(String(await storage.getBytes('a/key'))).toBe('old');
              expect(await leftIn(root)).toEqual([]);
              expect((await filesBelow(root)).filter((path) => path.includes('/attrs/'))).toHaveLength(1);
            }
          }
        }
        expect(openBelow(root)).toBe(descriptors);
      },
      { durability: 'full' },
    ),
  );

  it.each(['rename', 'fsync', 'mkdir', 'lstat'] as const)(
    'at any %s leaves no folder and no attributes without an object',
    (call) =>
      withDisk(
        async (storage, root) => {
          const steps = {
            put: () => storage.put('new/folder/key', 'bytes', { metadata: { some: 'thing' } }),
            fresh: () => storage.put('new/folder/key', 'bytes', { [freshKey]: true }),
            delete: () => storage.delete('old/folder/key'),
            move: () => storage.move('old/folder/key', 'new/folder/key'),
          };
          for (const step of Object.values(steps)) {
            // until a step has no more calls that could fail
            for (let nth = 1, failed = true; failed; nth++) {
              await storage.put('old/folder/key', 'old', { metadata: { version: 'old' } });
              failed = false;
              let calls = 0;
              storage.disk.before = (name) => {
                if (name !== call || ++calls !== nth) return;
                failed = true;
                throw systemError('EIO');
              };
              await step().catch((error: unknown) => {
                expect(error).toMatchObject({ code: 'STORAGE_FAILURE' });
              });
              storage.disk.before = () => undefined;
              await storage.deleteMany(['old/folder/key', 'new/folder/key']);
              expect((await filesBelow(root)).filter((path) => path.includes('/attrs/'))).toEqual([]);
              expect(await readdir(root)).toEqual(['.storages']);
            }
          }
        },
        { durability: 'full' },
      ),
  );

  it('after the link of a create takes it back', () =>
    withDisk(async (storage, root) => {
      storage.disk.before = (call, path) => {
        if (call !== 'unlink' || !path.includes('/.storages/tmp/')) return;
        storage.disk.before = () => undefined;
        throw systemError('EIO');
      };
      const created = storage.put('key', 'bytes', { ifNoneMatch: '*', metadata: { some: 'thing' } });
      await expect(created).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(await storage.exists('key')).toBe(false);
      expect(await filesBelow(root)).toEqual(expect.not.arrayContaining([expect.stringContaining('/attrs/')]));
      expect(await leftIn(root)).toEqual([]);
    }));

  it('while reading fails the stream and closes the file', () =>
    withDisk(async (storage, root) => {
      await storage.put('key', pattern(4 * MIB));
      const descriptors = openBelow(root);
      const stream = await storage.get('key');
      storage.disk.before = (call) => {
        if (call === 'read') throw systemError('EIO');
      };
      await expect(stream.toArray()).rejects.toMatchObject({ code: 'STORAGE_FAILURE', operation: 'get', key: 'key' });
      expect(openBelow(root)).toBe(descriptors);
    }));
});

describe('a storage whose files cannot be removed when it closes', () => {
  it('counts as dead from then on, and the next one removes them', () =>
    withRoot(async (root) => {
      const owners = (): string[] =>
        readdirSync(join(root, '.storages/procs')).filter((name) => !name.endsWith('.sock'));
      const storage = new FaultyDiskStorage({ root, durability: 'fast' });
      await storage.open();
      storage.disk.before = (call) => {
        if (call === 'unlink') throw systemError('EIO');
      };
      await expect(storage.close()).rejects.toMatchObject({ code: 'STORAGE_FAILURE', operation: 'close' });
      expect(owners()).toHaveLength(1);
      await using next = new FaultyDiskStorage({ root, durability: 'fast' });
      await next.open();
      expect(owners()).toHaveLength(1);
    }));
});

describe('a file that a stranger cuts short', () => {
  it('fails its reader rather than end early', () =>
    withDisk(async (storage, root) => {
      await storage.put('key', pattern(4 * MIB));
      const stream = await storage.get('key', { range: { offset: 10 } });
      await truncate(join(root, 'key'), MIB);
      await expect(stream.toArray()).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
    }));
});

describe('descriptors', () => {
  it('are all closed, however a call ends', () =>
    withDisk(async (storage, root) => {
      await storage.put('key', pattern(4 * MIB), { metadata: { some: 'thing' } });
      await storage.put('small', 'bytes');
      const before = openBelow(root);
      for (let i = 0; i < 20; i++) {
        for await (const _ of await storage.get('key')) break;
        await storage.get('small');
        await storage.getBytes('key', { range: { offset: 5, length: 10 } });
        await storage.copy('key', 'copy');
        await storage.move('copy', 'moved');
        await expect(storage.get('key', { range: { offset: 5 * MIB } })).rejects.toMatchObject({
          code: 'RANGE_NOT_SATISFIABLE',
        });
        await expect(storage.get('key', { ifMatch: 'other' })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
        await expect(
          storage.put('torn', new Readable({ read: () => undefined }).destroy(new Error('gone'))),
        ).rejects.toMatchObject({ code: expect.any(String) });
        const staged = await storage.stage('staged', pattern(MIB));
        await staged.abort();
      }
      expect(openBelow(root)).toBe(before);
    }));
});

describe('a copy on a file system that shares blocks', () => {
  it('is one of its own, with its own attributes, and leaves nothing when it fails', () =>
    withDisk(async (storage, root) => {
      storage.disk.reflink = (from, to) => copyFile(from, to);
      const bytes = pattern(MIB);
      const file = await storage.put('a.txt', bytes, { metadata: { of: 'a' } });
      const descriptors = openBelow(root);
      const copy = await storage.copy('a.txt', 'b.bin');
      expect(await storage.info('b.bin')).toEqual(copy);
      expect(copy).toMatchObject({ size: MIB, contentType: 'text/plain', metadata: { of: 'a' } });
      expect(copy.etag).not.toBe(file.etag);
      expect(bytes.equals(await storage.getBytes('b.bin'))).toBe(true);
      await storage.put('a.txt', 'other');
      expect(await storage.info('b.bin')).toEqual(copy);
      storage.disk.before = (call) => {
        if (call === 'futimes') throw systemError('EIO');
      };
      await expect(storage.copy('a.txt', 'c')).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(await leftIn(root)).toEqual([]);
      expect(openBelow(root)).toBe(descriptors);
    }));
});

describe('durability', () => {
  it.each([
    ['full', 4, 'file, attributes, their folder, the folder of the object'],
    ['fast', 0, 'nothing'],
  ] as const)('%s syncs %s times for one put: %s', (durability, times, _what) =>
    withDisk(
      async (storage) => {
        await storage.put('a/key', 'warm', { metadata: { a: 'b' } });
        storage.disk.calls.length = 0;
        await storage.put('a/key', 'bytes', { metadata: { a: 'b' } });
        expect(storage.disk.calls.filter((call) => call === 'fsync')).toHaveLength(times);
      },
      { durability },
    ),
  );

  it('full syncs the folder of every folder it made', () =>
    withDisk(
      async (storage) => {
        storage.disk.calls.length = 0;
        await storage.put('a/b/c/key', 'bytes');
        // the file, a/b/c, and what a, b and c were made in
        expect(storage.disk.calls.filter((call) => call === 'fsync').length).toBeGreaterThanOrEqual(5);
      },
      { durability: 'full' },
    ));

  it('full shares the fsync of a folder among puts that are under way together', () =>
    withDisk(
      async (storage) => {
        await storage.put('warm', '');
        storage.disk.calls.length = 0;
        const made = (call: string): number => storage.disk.calls.filter((name) => name === call).length;
        const fsync = storage.disk.fsync.bind(storage.disk);
        storage.disk.fsync = async (fd) => {
          await fsync(fd);
          // of a folder: under way until every object is in its place
          if (fstatSync(fd).isDirectory()) await until('all are renamed', () => made('rename') === 32);
        };
        await Promise.all(Array.from({ length: 32 }, (_, i) => storage.put(`key-${i}`, 'bytes')));
        // 32 files; the folder for the first that was in its place, and once for all others
        expect(made('fsync')).toBe(34);
      },
      { durability: 'full' },
    ));
});
