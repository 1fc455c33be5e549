import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { inspectUploads, openUploads, thumbnails } from './disk.js';
import { isSound, storagesIn } from './databases.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pages-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('keeps no more in memory than was said', async () => {
  await expect(thumbnails.put('a', Buffer.alloc(64 * 1024 * 1024 + 1))).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
  });
});

it('keeps files at their paths with the modes that were given, and finds what is none of its own', async () => {
  const root = join(folder, 'uploads');
  const uploads = await openUploads(root);
  await uploads.put('2026/ada.txt', 'hello');
  expect((await stat(join(root, '2026/ada.txt'))).mode & 0o777).toBe(0o640);
  expect(await inspectUploads(uploads)).toEqual([]);
  await appendFile(join(root, '2026/ada.txt'), '!');
  expect((await uploads.getBytes('2026/ada.txt')).toString()).toBe('hello!');
  await uploads.close();
});

it('keeps two storages in one database, each for itself', async () => {
  const { letters, drafts } = storagesIn(join(folder, 'files.db'));
  await letters.put('a', 'Dear Ada');
  expect(await drafts.exists('a')).toBe(false);
  expect(await isSound(letters)).toBe(true);
  await Promise.all([letters.close(), drafts.close()]);
});
