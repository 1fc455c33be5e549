// #region e2e
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getStorageToken } from 'nestjs-storages';
import { FakeStorage, FaultyStorage } from 'nestjs-storages/testing';
import { PortraitsModule } from './portraits.controller.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806', 'hex');

let portraits: FakeStorage;
let faulty: FaultyStorage;
let app: INestApplication;

beforeEach(async () => {
  portraits = new FakeStorage();
  faulty = new FaultyStorage(portraits);
  const module = await Test.createTestingModule({ imports: [PortraitsModule] })
    .overrideProvider(getStorageToken('portraits'))
    .useValue(faulty)
    .compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
});
afterEach(() => app.close());

async function upload(user: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  const form = new FormData();
  form.append('portrait', new Blob([bytes]), 'portrait.png');
  return fetch(`${await app.getUrl()}/users/${user}/portrait`, { method: 'POST', body: form });
}

it('stores a portrait under the key of its user', async () => {
  expect((await upload('ada', PNG)).status).toBe(201);

  portraits.assertCount(1);
  portraits.assertExists('ada', { contentType: 'image/png' });
  portraits.assertContent('ada', PNG);
});

it('refuses what is no picture', async () => {
  const answer = await upload('ada', Buffer.from('hello'));

  expect([answer.status, await answer.json()]).toMatchObject([415, { code: 'UNSUPPORTED_FILE_TYPE' }]);
  portraits.assertMissing('ada');
});

it('keeps the old portrait where the storage fails', async () => {
  await portraits.put('ada', 'the old one');
  const fault = faulty.fail('stage'); // an upload is `stage` and `commit`, and no `put`

  const answer = await upload('ada', PNG);

  expect(fault.hits).toBe(1); // else this test had tried nothing
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'STORAGE_UNAVAILABLE' }]);
  portraits.assertContent('ada', 'the old one');
});
// #endregion e2e

it('is shown, and not sent again to whoever has it', async () => {
  await upload('ada', PNG);
  const url = `${await app.getUrl()}/users/ada/portrait`;
  const answer = await fetch(url);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(PNG);
  expect(answer.headers.get('Cache-Control')).toBe('private, max-age=60');
  const again = await fetch(url, { headers: { 'If-None-Match': answer.headers.get('ETag') ?? '' } });
  expect(again.status).toBe(304);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
});

it('is asked of the storage by the methods that docs/testing.md names', async () => {
  let known = 0;
  const since = (): string[] =>
    portraits.calls.slice(known, (known = portraits.calls.length)).map(({ method }) => method);
  await upload('ada', PNG);
  expect(since()).toEqual(['stage', 'exists', 'commit']);
  const url = `${await app.getUrl()}/users/ada/portrait`;
  const etag = (await fetch(url)).headers.get('ETag') ?? '';
  expect(since()).toEqual(['get']);
  await fetch(url, { headers: { 'If-None-Match': etag } });
  expect(since()).toEqual(['info']);
  await fetch(url, { headers: { Range: 'bytes=0-3' } });
  expect(since()).toEqual(['info', 'get']);
  await fetch(url, { method: 'HEAD' });
  expect(since()).toEqual(['info']);
});
