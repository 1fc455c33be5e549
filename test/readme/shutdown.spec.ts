import { expect, it } from '@jest/globals';
import { getStorageToken, MemoryStorage } from 'nestjs-storages';
import { Test } from '@nestjs/testing';
import { AppModule } from './shutdown.module.js';

it('starts with the limits of its end, and ends', async () => {
  const storage = new MemoryStorage();
  const app = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(getStorageToken('uploads'))
    .useValue(storage)
    .compile();
  await app.init();
  expect(app.get(getStorageToken('uploads'))).toBe(storage);
  await app.close();
  await expect(storage.exists('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
});
