import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { whyNoSmallDisk, withSmallDisk } from './small-disk.js';
import { filesBelow, keysOf } from './temporary-root.js';

const MIB = 1024 * 1024;

let why: string | undefined;
beforeAll(async () => {
  why = await whyNoSmallDisk('tmpfs');
  if (why !== undefined && process.env['CI'] !== 'true') {
    console.log(`A file system below the root was not tried: none could be mounted here (${why}). It takes root.`);
  }
});

describe('a file system that is mounted below the root', () => {
  it('has its files read, deleted and moved away, says what cannot be, and new objects lie elsewhere', async () => {
    if (process.env['CI'] === 'true') expect(why).toBeUndefined();
    if (why !== undefined) return;
    await withSmallDisk({ fileSystem: 'tmpfs', bytes: MIB }, async (disk) => {
      const root = dirname(disk.root);
      await using storage = new FileSystemStorage({ root, durability: 'full' });
      const dropIn = (name: string): Promise<void> => writeFile(join(disk.root, name), name);
      for (const name of ['read', 'moved', 'replaced']) await dropIn(name);

      await storage.put('mount/new', 'new', { metadata: { of: 'it' } });
      await storage.put('mount/folder/new', 'new', { ifNoneMatch: '*' });
      expect((await storage.info('mount/new')).metadata).toEqual({ of: 'it' });
      expect(String(await storage.getBytes('mount/read'))).toBe('read');
      expect(await storage.move('mount/moved', 'moved')).toEqual(await storage.info('moved'));
      expect(await storage.exists('mount/moved')).toBe(false);

      for (const refused of [
        storage.put('mount/replaced', 'other', { metadata: { of: 'the other' } }),
        storage.move('moved', 'mount/replaced'),
      ]) {
        await expect(refused).rejects.toMatchObject({
          code: 'STORAGE_FAILURE',
          message: expect.stringContaining('mounted below the root'),
        });
      }
      expect(await keysOf(storage)).toEqual(['mount/folder/new', 'mount/new', 'mount/read', 'mount/replaced', 'moved']);
      await storage.delete('mount/replaced');
      await storage.put('mount/replaced', 'other');
      expect(await storage.check()).toMatchObject({ ok: true });

      for (const key of await keysOf(storage)) await storage.delete(key);
      await storage.close();
      expect(await filesBelow(root)).toEqual([]);
    });
  });
});
