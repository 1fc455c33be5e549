import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FileSystemStorage, StorageModule } from 'nestjs-storages';
import { PhotosModule, ReportsController } from './downloads.js';

let root: string;
let storage: FileSystemStorage;
let app: INestApplication;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'downloads-'));
  storage = new FileSystemStorage({ root });
  const moduleRef = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { uploads: storage } }), PhotosModule],
    controllers: [ReportsController],
  }).compile();
  app = moduleRef.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
});

afterEach(async () => {
  await app.close();
  await rm(root, { recursive: true });
});

function ask(path: string, init?: RequestInit): Promise<Response> {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return fetch(`http://127.0.0.1:${port}${path}`, init);
}

it('a handler answers with a file', async () => {
  await storage.put('summary.pdf', '%PDF-');
  const answer = await ask('/reports/summary.pdf');
  expect([answer.status, await answer.text()]).toEqual([200, '%PDF-']);
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; .*filename\*=UTF-8''%C3%9Cbersicht\.pdf/);
});

it('a handler answers with a zip of what was selected', async () => {
  await storage.put('a.txt', 'a');
  const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const answer = await ask('/reports/selection.zip', { ...init, body: JSON.stringify({ keys: ['a.txt'] }) });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
  expect(
    Buffer.from(await answer.arrayBuffer())
      .subarray(0, 2)
      .toString(),
  ).toBe('PK');
  expect((await ask('/reports/selection.zip', { ...init, body: JSON.stringify({ keys: ['no.txt'] }) })).status).toBe(
    404,
  );
});

it('a prefix is served', async () => {
  await storage.put('photos/2026/a.png', 'png');
  expect(await (await ask('/photos/2026/a.png')).text()).toBe('png');
  expect((await ask('/photos/2026/b.png')).status).toBe(404);
});

it('a root is looked at and cleaned up', async () => {
  await storage.put('a.txt', 'a');
  // #region upkeep
  const { ok, objects, bytes, problems } = await storage.check();
  const { temporaries, locks, attributes } = await storage.sweep({ olderThan: '1d' });
  // #endregion
  expect({ ok, objects, bytes, problems }).toEqual({ ok: true, objects: 1, bytes: 1, problems: [] });
  expect([temporaries, locks, attributes]).toEqual([0, 0, 0]);
});
