import { existsSync } from 'node:fs';
import { link, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FaultyDiskStorage } from './faulty-disk.js';
import { withRoot, withStorage } from './temporary-root.js';

describe('a move', () => {
  it.each([
    ['onto nothing', {}],
    ['to create only', { ifNoneMatch: '*' }],
  ] as const)('has its object under one of the two keys at every step: %s', (_, options) =>
    withRoot(async (root) => {
      await using storage = new FaultyDiskStorage({ root, durability: 'full' });
      await storage.put('from', 'bytes', { metadata: { of: 'it' } });
      const seen: string[] = [];
      storage.disk.before = () => {
        seen.push(['from', 'to'].filter((key) => existsSync(join(root, key))).join(' and '));
      };
      await storage.move('from', 'to', options);
      expect([...new Set(seen)]).toEqual(['from', 'to']);
    }),
  );

  // seconds since 1970
  it.each([
    ['the longest that 32 bits count', 2 ** 31 - 1],
    ['where a double does not tell microseconds', 7_258_118_400.123456],
    ['the last that ext4 keeps with 256-byte inodes, less a day', 15_032_299_135],
    ['the last that the file system keeps', 100_000_000_000],
  ])('onto an object of a time to come keeps its attributes, as a put does: %s', (_, seconds) =>
    withStorage(async (storage, root) => {
      await storage.put('from', 'bytes', { metadata: { of: 'it' } });
      await writeFile(join(root, 'to'), 'other');
      await utimes(join(root, 'to'), seconds, seconds);
      const before = await storage.info('to');
      const moved = await storage.move('from', 'to');
      expect(moved.metadata).toEqual({ of: 'it' });
      expect(await storage.info('to')).toEqual(moved);
      expect(moved.etag).not.toBe(before.etag);
      expect(await storage.exists('from')).toBe(false);
      await utimes(join(root, 'to'), seconds, seconds);
      const touched = await storage.info('to');
      const put = await storage.put('to', 'again', { ifMatch: touched.etag, metadata: { of: 'the put' } });
      expect(await storage.info('to')).toEqual(put);
      expect(put).toMatchObject({ metadata: { of: 'the put' } });
      expect(put.etag).not.toBe(touched.etag);
      await storage.sweep({ olderThan: 0 });
      expect(await storage.check()).toMatchObject({ ok: true });
    }),
  );

  it('onto an object of before 1970 keeps the attributes of one that is older still', () =>
    withStorage(async (storage, root) => {
      for (const [name, time] of [
        ['from', -2000],
        ['to', -1000],
      ] as const) {
        await writeFile(join(root, name), name);
        // a Date: of a negative number Node makes now
        await utimes(join(root, name), new Date(time * 1000), new Date(time * 1000));
      }
      const moved = await storage.move('from', 'to', {});
      expect(await storage.info('to')).toEqual(moved);
      expect(String(await storage.getBytes('to'))).toBe('from');
      expect(await storage.check()).toMatchObject({ ok: true });
    }));

  it('changes no file that has another name: that one keeps its attributes, and the times that a backup goes by', () =>
    withStorage(async (storage, root) => {
      await storage.put('from', 'bytes', { metadata: { of: 'it' } });
      // what a process leaves that is killed between a link and the unlink behind it
      const twin = await storage.copy('from', 'twin');
      await link(join(root, 'from'), join(root, 'backup'));
      const backup = await storage.info('backup');
      await storage.put('to', 'younger');
      const moved = await storage.move('from', 'to');
      expect(moved.metadata).toEqual({ of: 'it' });
      expect(await storage.info('to')).toEqual(moved);
      expect(await storage.info('backup')).toEqual(backup);
      expect(await storage.info('twin')).toEqual(twin);
      // without attributes of its own, and into a key that asks for some
      await storage.put('plain.txt', 'plain');
      await link(join(root, 'plain.txt'), join(root, 'plain backup'));
      await storage.move('plain.txt', 'plain');
      expect((await storage.info('plain')).contentType).toBe('text/plain');
      expect((await storage.check()).problems.map(({ key }) => key)).toEqual(['backup']);
    }));
});
