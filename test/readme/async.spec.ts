import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Storage } from 'nestjs-storages';

it('registers storages from a configuration service', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'readme-'));
  process.env['UPLOADS'] = join(folder, 'uploads');
  const { AsyncAppModule } = await import('./async.module.js');
  const app = await Test.createTestingModule({ imports: [AsyncAppModule] }).compile();
  await app.init();
  const storage = app.get(Storage);
  await storage.put('a.txt', 'a');
  expect((await storage.getBytes('a.txt')).toString()).toBe('a');
  await app.close();
  await rm(folder, { recursive: true });
});
