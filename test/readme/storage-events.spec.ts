import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { getStorageToken, MemoryStorage, StorageModule, type Storage } from 'nestjs-storages';
import { AvatarIndex } from './storage-events.js';
import { ThumbnailJobs, type ThumbnailJob } from './thumbnail-jobs.js';

it('keeps an index of what a storage has, and adds a job for each image', async () => {
  const added: [name: string, job: ThumbnailJob][] = [];
  // a producer as BullMQ's Queue is one, without its Redis
  const queue = {
    add: (name: string, job: ThumbnailJob): Promise<void> => {
      added.push([name, job]);
      return Promise.resolve();
    },
  };
  const app = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { avatars: new MemoryStorage() } })],
    providers: [AvatarIndex, ThumbnailJobs, { provide: 'thumbnails', useValue: queue }],
  }).compile();
  await app.init();
  const avatars = app.get<Storage>(getStorageToken('avatars'));
  const { etag } = await avatars.put('ada.png', 'x', { contentType: 'image/png' });
  await avatars.put('notes.txt', 'x');
  await avatars.move('ada.png', 'eve.png');
  await avatars.delete('notes.txt');
  const { keys } = app.get(AvatarIndex);
  await app.close();
  expect([...keys]).toEqual(['eve.png']);
  expect(added).toEqual([['thumbnail', { storage: 'avatars', key: 'ada.png', etag }]]);
});
