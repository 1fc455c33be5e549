import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { SignedUpload } from 'nestjs-storages';

it('hands out links to read and to write, and closes an album to uploads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'readme-'));
  Object.assign(process.env, {
    PHOTOS: join(folder, 'photos'),
    PUBLIC_URL: 'https://api.example.com',
    URL_SECRET: 'a secret of at least thirty-two bytes',
  });
  const { LinksModule } = await import('./links.module.js');
  const app = await NestFactory.create(LinksModule, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const base = await app.getUrl();
  const here = (url: string): string => base + url.slice('https://api.example.com'.length);
  const post = (path: string, body: object = {}): Promise<Response> =>
    fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const ask = async (name: string): Promise<SignedUpload> =>
    (await (await post('/albums/rome/upload', { name })).json()) as SignedUpload;
  const send = (upload: SignedUpload): Promise<Response> => {
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    return fetch(here(upload.url), { method: 'PUT', headers: upload.headers, body: 'a photo' });
  };

  const upload = await ask('forum.jpg');
  expect((await send(upload)).status).toBe(201);
  expect((await send(upload)).status).toBe(409);
  const { url } = (await (await fetch(`${base}/albums/rome/forum.jpg/link`)).json()) as { url: string };
  expect(await (await fetch(here(url))).text()).toBe('a photo');

  const late = await ask('late.jpg');
  await post('/albums/rome/close');
  const refused = await send(late);
  expect([refused.status, await refused.json()]).toEqual([
    410,
    expect.objectContaining({ message: 'The album is closed.' }),
  ]);
  await app.close();
  await rm(folder, { recursive: true });
});
