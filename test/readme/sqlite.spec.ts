import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { inboxOf } from './sqlite.js';

it('keeps files in one database, and copies it while it is in use', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'readme-'));
  const inbox = await inboxOf(join(folder, 'inbox.db'));
  const copy = new SQLiteStorage({ filename: join(folder, 'inbox.db.backup') });
  expect(await copy.info('2026/letter.txt')).toEqual(await inbox.info('2026/letter.txt'));
  await Promise.all([inbox.close(), copy.close()]);
  await rm(folder, { recursive: true });
});
