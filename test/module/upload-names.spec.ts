import { expect, it } from '@jest/globals';
import { Controller, Post, UseInterceptors } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MemoryStorage, StorageFileInterceptor, StorageModule, type UploadDefaults } from 'nestjs-storages';

async function start(interceptor: { storage?: string }, upload?: UploadDefaults): Promise<void> {
  @Controller()
  class UploadController {
    @Post()
    @UseInterceptors(StorageFileInterceptor('file', interceptor))
    upload(): void {
      // never called
    }
  }
  const storages = { a: new MemoryStorage(), b: new MemoryStorage() };
  const app = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages, upload })],
    controllers: [UploadController],
  }).compile();
  await app.init();
  await app.close();
}

it('an upload into a storage that is not known fails the start with the known names', async () => {
  const unknown = 'There is no storage "typo". Known names: "a", "b".';
  await expect(start({ storage: 'typo' })).rejects.toThrow(unknown);
  await expect(start({}, { storage: 'typo' })).rejects.toThrow(unknown);
  await expect(start({ storage: 'b' })).resolves.toBeUndefined();
  await expect(start({}, { storage: 'b' })).resolves.toBeUndefined();
});
