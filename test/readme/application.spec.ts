import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getStorageToken, type Storage } from 'nestjs-storages';

let folder: string;
let app: INestApplication;
let origin: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
  process.env['UPLOADS'] = join(folder, 'uploads');
  // the module's decorator reads the environment when it is loaded
  const { AppModule } = await import('./app.module.js');
  app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication();
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
});

afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

it("stores what is uploaded to the README's controller, and gives it back", async () => {
  const form = new FormData();
  form.append('file', new Blob([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')]), 'ada.png');
  const uploaded = await fetch(`${origin}/avatars/ada`, { method: 'POST', body: form });
  expect(uploaded.status).toBe(201);
  const { key, size, type } = (await uploaded.json()) as { key: string; size: number; type: string };
  expect({ size, type }).toEqual({ size: 16, type: 'image/png' });
  expect(await readFile(join(folder, 'uploads', 'avatars', key))).toHaveLength(16);
  expect(await app.get<Storage>(getStorageToken('avatars'), { strict: false }).info(key)).toMatchObject({
    metadata: { name: 'ada.png' },
  });

  const downloaded = await fetch(`${origin}/avatars/${key}`);
  expect(downloaded.headers.get('content-type')).toBe('image/png');
  expect((await downloaded.arrayBuffer()).byteLength).toBe(16);
});

it('answers 404 for a file that is not there and 413 for one that is too large', async () => {
  const missing = await fetch(`${origin}/avatars/nobody.png`);
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ statusCode: 404, code: 'FILE_NOT_FOUND' });

  const form = new FormData();
  form.append('file', new Blob([Buffer.alloc(5 * 1024 * 1024 + 1)]), 'large.bin');
  const refused = await fetch(`${origin}/avatars/ada`, { method: 'POST', body: form });
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ code: 'LIMIT_FILE_SIZE' });
});
