import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type StorageData } from 'nestjs-storages';
import { whyNoSmallDisk, withSmallDisk, type SmallDisk, type SmallDiskOptions } from './small-disk.js';
import { filesBelow, keysOf } from './temporary-root.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const CHUNK = 64 * KIB;

let why: string | undefined;
beforeAll(async () => {
  why = (await whyNoSmallDisk('tmpfs')) ?? (await whyNoSmallDisk('ext4'));
  if (why !== undefined && process.env['CI'] !== 'true') {
    console.log(`Full disks were not tried: none could be mounted here (${why}). It takes root and loop devices.`);
  }
});

/** @returns `false` where it cannot be, which is a failure only where everything must run */
function isPossible(): boolean {
  if (process.env['CI'] === 'true') expect(why).toBeUndefined();
  return why === undefined;
}

const DISKS: readonly (readonly [string, SmallDiskOptions])[] = [
  ['tmpfs', { fileSystem: 'tmpfs', bytes: 2 * MIB }],
  ['ext4', { fileSystem: 'ext4', bytes: 16 * MIB }],
];

const WAYS: readonly (readonly [string, (bytes: Buffer) => StorageData])[] = [
  ['bytes', (bytes) => bytes],
  ['a stream', (bytes) => Readable.from(chunksOf(bytes), { objectMode: false })],
];

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += CHUNK) yield bytes.subarray(from, from + CHUNK);
}

function pattern(length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Uint8Array.from({ length: 251 }, (_, i) => i)));
}

async function temporaries(root: string): Promise<string[]> {
  return (await filesBelow(root)).filter((path) => path.startsWith('.storages/tmp/'));
}

/** Takes all room but so much, by a file that a stranger drops in. */
async function fill(disk: SmallDisk, left: number): Promise<void> {
  await writeFile(join(disk.root, 'fill'), Buffer.alloc((await disk.free()) - left));
}

/** The largest size that fits, of those up to `most`, which does not. */
async function largest(most: number, fits: (size: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

describe.each(DISKS)('a disk that is full, on %s', (_name, options) => {
  it.each(['full', 'fast'] as const)(
    'is a QuotaExceededError, nothing of the new object stays, the old one does, and what is deleted makes room (%s)',
    async (durability) => {
      if (!isPossible()) return;
      await withSmallDisk(options, async (disk) => {
        const storage = new FileSystemStorage({ root: disk.root, durability });
        const old = await storage.put('key', 'old', { metadata: { version: 'old' } });
        await storage.put('fill', Buffer.alloc(Math.floor((await disk.free()) * 0.6)));
        const tooMuch = pattern(await disk.free());
        for (const [, way] of WAYS) {
          const put = storage.put('key', way(tooMuch), { metadata: { version: 'new' } });
          await expect(put).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', retryable: true });
        }
        await expect(storage.copy('fill', 'key')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
        expect(await storage.info('key')).toEqual(old);
        expect(await keysOf(storage)).toEqual(['fill', 'key']);
        expect(await temporaries(disk.root)).toEqual([]);
        await storage.delete('fill');
        await storage.put('key', tooMuch);
        expect(tooMuch.equals(await storage.getBytes('key'))).toBe(true);
        await storage.delete('key');
        await storage.close();
        expect(await filesBelow(disk.root)).toEqual([]);
      });
    },
  );

  it.each(WAYS)('never acknowledges less than it was given, byte by byte around what fits: %s', async (_way, way) => {
    if (!isPossible()) return;
    await withSmallDisk(options, async (disk) => {
      await using storage = new FileSystemStorage({ root: disk.root, durability: 'full' });
      const old = await storage.put('key', 'old', { metadata: { version: 'old' } });
      await storage.put('new', 'makes the folders that a put makes', { metadata: { a: 'b' } });
      await storage.delete('new');
      await fill(disk, 3 * CHUNK);
      /** Whether so much is stored, whole; else it is refused, and nothing has changed. */
      const fits = async (size: number): Promise<boolean> => {
        const bytes = pattern(size);
        try {
          const file = await storage.put('new', way(bytes));
          expect(file.size).toBe(size);
        } catch (error) {
          expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', key: 'new' });
          expect(await storage.exists('new')).toBe(false);
          expect(await temporaries(disk.root)).toEqual([]);
          expect(await storage.info('key')).toEqual(old);
          return false;
        }
        expect(bytes.equals(await storage.getBytes('new'))).toBe(true);
        await storage.delete('new');
        return true;
      };
      const limit = await largest(4 * CHUNK, fits);
      expect(limit).toBeGreaterThan(CHUNK);
      const outcomes: boolean[] = [];
      for (let size = limit - 3; size <= limit + 3; size++) outcomes.push(await fits(size));
      expect(outcomes).toEqual([true, true, true, true, false, false, false]);
      await rm(join(disk.root, 'fill'));
      expect(await fits(4 * CHUNK)).toBe(true);
    });
  });
});

describe('a disk without room for another file', () => {
  it('is a QuotaExceededError, and what is deleted makes room', async () => {
    if (!isPossible()) return;
    await withSmallDisk({ fileSystem: 'ext4', bytes: 16 * MIB, inodes: 64 }, async (disk) => {
      const storage = new FileSystemStorage({ root: disk.root });
      const old = await storage.put('key', 'old', { metadata: { version: 'old' } });
      const stored: string[] = [];
      const storeAll = async (): Promise<void> => {
        for (;;) {
          const key = `file-${stored.length}`;
          await storage.put(key, 'bytes', { metadata: { a: 'b' } });
          stored.push(key);
        }
      };
      await expect(storeAll()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      expect(stored.length).toBeGreaterThan(5);
      await expect(storage.put('a/new/folder', 'bytes')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(storage.put('key', 'new', { metadata: { version: 'new' } })).rejects.toMatchObject({
        code: 'QUOTA_EXCEEDED',
      });
      expect(await storage.info('key')).toEqual(old);
      expect(await keysOf(storage)).toEqual([...stored, 'key'].sort());
      expect(await temporaries(disk.root)).toEqual([]);
      expect((await storage.check()).problems).toEqual([]);
      await storage.delete(stored.pop() ?? '');
      await storage.delete(stored.pop() ?? '');
      await storage.put('key', 'new', { metadata: { version: 'new' } });
      expect((await storage.info('key')).metadata).toEqual({ version: 'new' });
      for (const key of [...stored, 'key']) await storage.delete(key);
      await storage.close();
      expect(await filesBelow(disk.root)).toEqual([]);
    });
  });
});

describe('a disk that becomes read-only', () => {
  it('refuses writers and not readers, and takes objects again when it is writable, without a restart', async () => {
    if (!isPossible()) return;
    await withSmallDisk({ fileSystem: 'ext4', bytes: 16 * MIB }, async (disk) => {
      const storage = new FileSystemStorage({ root: disk.root });
      const old = await storage.put('a/key', 'old', { metadata: { version: 'old' } });
      await disk.remount('ro');
      for (const [, way] of WAYS) {
        const put = storage.put('a/key', way(pattern(MIB)), { metadata: { version: 'new' } });
        await expect(put).rejects.toMatchObject({ code: 'PERMISSION_DENIED', retryable: false });
      }
      await expect(storage.delete('a/key')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(storage.move('a/key', 'b')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(await storage.info('a/key')).toEqual(old);
      expect(String(await storage.getBytes('a/key'))).toBe('old');
      expect(await keysOf(storage)).toEqual(['a/key']);
      await disk.remount('rw');
      await storage.put('a/key', 'new');
      expect(String(await storage.getBytes('a/key'))).toBe('new');
      await storage.delete('a/key');
      await storage.close();
      expect(await filesBelow(disk.root)).toEqual([]);
    });
  });
});
