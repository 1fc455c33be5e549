import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { StorageMetrics } from './storage-metrics.js';

it('counts what storages do, and stops with the application', async () => {
  const storage = new MemoryStorage();
  const app = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { files: storage } })],
    providers: [StorageMetrics],
  }).compile();
  await app.init();
  await storage.put('a', 'x');
  await storage.put('b', 'x');
  await storage.info('c').catch(() => undefined);
  const { counts } = app.get(StorageMetrics);
  await app.close();
  await storage.open();
  await storage.put('d', 'x');
  expect([...counts]).toEqual([
    ['files.put.ok', 2],
    ['files.info.FILE_NOT_FOUND', 1],
  ]);
});
