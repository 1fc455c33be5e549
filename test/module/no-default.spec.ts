import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MemoryStorage, Storage, StorageModule, StorageRegistry } from 'nestjs-storages';

// a file of its own: whether any code of the process gives a default is known once for all of it
it('says where a default storage is asked for and none of several is named', async () => {
  @Injectable()
  class Consumer {
    constructor(readonly storage: Storage) {}
  }
  const root = (): ReturnType<typeof StorageModule.forRoot> =>
    StorageModule.forRoot({ storages: { a: new MemoryStorage(), b: new MemoryStorage() } });
  await expect(Test.createTestingModule({ imports: [root()], providers: [Consumer] }).compile()).rejects.toThrow(
    'There is no default storage. Name one with \'default\' in StorageModule.forRoot(), or ask for a storage by its name. Known names: "a", "b".',
  );

  const app = await Test.createTestingModule({ imports: [root()] }).compile();
  expect(() => app.get(StorageRegistry).get()).toThrow('There is no default storage.');
  await app.close();
});
