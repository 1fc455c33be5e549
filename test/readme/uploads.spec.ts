import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { ApplicationsController } from './applications.controller.js';
import { NotesController } from './notes.controller.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

let uploads: MemoryStorage;
let avatars: MemoryStorage;
let app: INestApplication;
let origin: string;

beforeEach(async () => {
  uploads = new MemoryStorage();
  avatars = new MemoryStorage();

  @Module({
    imports: [StorageModule.forRoot({ default: 'uploads', storages: { uploads, avatars } })],
    controllers: [ApplicationsController, NotesController],
  })
  class AppModule {}

  app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  origin = await app.getUrl();
});

afterEach(() => app.close());

async function keysOf(storage: MemoryStorage): Promise<string[]> {
  const keys = [];
  for await (const { key } of storage.list()) keys.push(key);
  return keys;
}

function application(portrait: Buffer): FormData {
  const form = new FormData();
  form.append('name', 'Ada');
  form.append('address[city]', 'London');
  form.append('documents', new Blob(['Analytical engines, mostly.'], { type: 'text/plain' }), 'letter.txt');
  form.append('portrait', new Blob([portrait], { type: 'image/png' }), 'ada.png');
  return form;
}

it('sends the fields of a form to storages of their own', async () => {
  const answer = await fetch(`${origin}/applications`, { method: 'POST', body: application(PNG) });
  expect(await answer.json()).toMatchObject({
    from: 'London',
    portrait: expect.stringMatching(/\.png$/) as unknown,
    documents: [['letter.txt', expect.stringMatching(/^[0-9a-f]{64}$/) as unknown]],
  });
  expect(await keysOf(avatars)).toHaveLength(1);
  expect(await keysOf(uploads)).toHaveLength(1);
});

it('leaves nothing in either when a portrait is no image', async () => {
  const answer = await fetch(`${origin}/applications`, {
    method: 'POST',
    body: application(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')),
  });
  expect(answer.status).toBe(415);
  expect(await answer.json()).toMatchObject({ code: 'UNSUPPORTED_FILE_TYPE' });
  expect([...(await keysOf(avatars)), ...(await keysOf(uploads))]).toEqual([]);
});

it('takes the body of a PUT as it is, and replaces', async () => {
  for (const body of ['first', 'second']) {
    const answer = await fetch(`${origin}/notes/plan.bin`, { method: 'PUT', body: Buffer.from(body) });
    expect(await answer.json()).toEqual({ key: 'notes/plan.bin', size: body.length });
  }
  expect((await uploads.getBytes('notes/plan.bin')).toString()).toBe('second');
});
