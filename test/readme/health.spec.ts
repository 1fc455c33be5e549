import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { MemoryStorage, ReadOnlyStorage, StorageModule } from 'nestjs-storages';
import { HealthModule } from './health.module.js';

it('answers 503 while an archive lacks its index, and 200 when it is there', async () => {
  const archive = new MemoryStorage();
  const storages = { uploads: new MemoryStorage(), archive: new ReadOnlyStorage(archive) };
  const testing = await Test.createTestingModule({ imports: [StorageModule.forRoot({ storages }), HealthModule] })
    .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
    .compile();
  const app = testing.createNestApplication();
  await app.listen(0, '127.0.0.1');
  const ask = async (): Promise<Response> => fetch(`${await app.getUrl()}/health`);

  const before = await ask();
  expect([before.status, await before.json()]).toEqual([
    503,
    expect.objectContaining({ error: { archive: expect.objectContaining({ code: 'FILE_NOT_FOUND' }) as unknown } }),
  ]);
  await archive.put('index.json', '{}');
  const after = await ask();
  expect([after.status, await after.json()]).toEqual([200, expect.objectContaining({ status: 'ok' })]);
  await app.close();
});
