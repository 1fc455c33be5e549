import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';
import { whyNoSmallDisk, withSmallDisk } from '../filesystem/small-disk.js';
import { filesBelow } from '../filesystem/temporary-root.js';
import { file } from './form.js';
import { UploadApplication } from './upload-application.js';

const KIB = 1024;
const PAGE = 4 * KIB;
/** What the file below leaves. A put without attributes takes whole pages of it, and nothing else. */
const ROOM = 40 * PAGE;

let why: string | undefined;
beforeAll(async () => {
  why = await whyNoSmallDisk('tmpfs');
  if (why !== undefined && process.env['CI'] !== 'true') {
    console.log(`Uploads to a full disk were not tried: none could be mounted here (${why}). It takes root.`);
  }
});

describe('An upload to a full disk', () => {
  it.each([
    ['a key of its own, which is new each time', false],
    ['the key of an object that is there', true],
  ])(
    'is answered 507 where its last byte does not fit, 201 where it does, and goes on when there is room: %s',
    async (_key, overwrite) => {
      if (process.env['CI'] === 'true') expect(why).toBeUndefined();
      if (why !== undefined) return;
      await withSmallDisk({ fileSystem: 'tmpfs', bytes: 2 * KIB * KIB }, async (disk) => {
        const storage = new FileSystemStorage({ root: disk.root });
        const old = await storage.put('old', 'old', { metadata: { version: 'old' } });
        const options = overwrite ? { key: () => 'old', overwrite } : {};
        const application = await UploadApplication.start({ storage, options, handler: (upload) => upload });
        try {
          await writeFile(join(disk.root, 'fill'), Buffer.alloc((await disk.free()) - ROOM));
          const kept = await filesBelow(disk.root);
          // what fits replaces the old object: it comes last
          for (const beyond of [100_000, 2, 1, 0, -1]) {
            const bytes = Buffer.alloc(ROOM + beyond, 7);
            const answer = await application.post(file(bytes));
            expect([beyond, answer.status]).toEqual([beyond, beyond > 0 ? 507 : 201]);
            if (beyond > 0) {
              expect(await storage.info('old')).toEqual(old);
              expect(await filesBelow(disk.root)).toEqual(kept);
              continue;
            }
            const { key } = answer.body as { key: string };
            expect(bytes.equals(await storage.getBytes(key))).toBe(true);
            await storage.delete(key);
          }
          await rm(join(disk.root, 'fill'));
          const bytes = Buffer.alloc(ROOM + 100_000, 8);
          const answer = await application.post(file(bytes));
          expect(answer.status).toBe(201);
          expect(bytes.equals(await storage.getBytes((answer.body as { key: string }).key))).toBe(true);
        } finally {
          await application.close();
          await storage.close();
        }
      });
    },
  );
});
