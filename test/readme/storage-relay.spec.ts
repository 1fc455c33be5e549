import { expect, it } from '@jest/globals';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test } from '@nestjs/testing';
import { getStorageToken, MemoryStorage, StorageModule, type Storage } from 'nestjs-storages';
import { Greeter, StorageRelay } from './storage-relay.js';

it("passes the changes of storages on to Nest's event emitter", async () => {
  const app = await Test.createTestingModule({
    imports: [EventEmitterModule.forRoot(), StorageModule.forRoot({ storages: { avatars: new MemoryStorage() } })],
    providers: [StorageRelay, Greeter],
  }).compile();
  await app.init();
  const avatars = app.get<Storage>(getStorageToken('avatars'));
  await avatars.put('ada.png', 'x');
  await avatars.delete('ada.png');
  const { greeted } = app.get(Greeter);
  // which waits for the listeners
  await app.close();
  expect(greeted).toEqual(['ada.png']);
});
