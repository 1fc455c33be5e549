// #region fake
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { getStorageToken } from 'nestjs-storages';
import { FakeStorage } from 'nestjs-storages/testing';
import { AppModule } from './app.module.js';
import { AvatarsService } from './avatars.service.js';

let avatars: FakeStorage;
let app: TestingModule;

beforeEach(async () => {
  avatars = new FakeStorage();
  app = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(getStorageToken('avatars'))
    .useValue(avatars)
    .compile();
});
afterEach(() => app.close());

it('renames an avatar and takes its attributes along', async () => {
  await avatars.put('ada.png', 'picture', { metadata: { owner: 'ada' } });

  await app.get(AvatarsService).rename('ada', 'lovelace');

  avatars.assertMissing('ada.png');
  avatars.assertContent('lovelace.png', 'picture');
  avatars.assertExists('lovelace.png', { metadata: { owner: 'ada' } });
  avatars.assertCount(1);
  expect(avatars.calls.map((call) => call.method)).toContain('move');
});
// #endregion
