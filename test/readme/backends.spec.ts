import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { Storage } from 'nestjs-storages';
import { s3Server } from '../s3/server/s3-server.js';
import { BackendsModule } from './backends.module.js';

const server = await s3Server("The README's choice of a backend");

const before = { ...process.env };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backends-'));
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  await rm(folder, { recursive: true });
});

/** Starts the application in this environment, and stores a file by what it injects. */
async function storeIn(environment: Record<string, string>): Promise<TestingModule> {
  Object.assign(process.env, environment);
  const app = await Test.createTestingModule({ imports: [BackendsModule] }).compile();
  await app.init();
  const uploads = app.get(Storage);
  await uploads.put('ada.txt', 'hello');
  expect((await uploads.getBytes('ada.txt')).toString()).toBe('hello');
  return app;
}

it('stores files in a folder unless it is told otherwise', async () => {
  const app = await storeIn({ UPLOADS: join(folder, 'uploads') });
  expect((await stat(join(folder, 'uploads/ada.txt'))).size).toBe(5);
  await app.close();
});

it('stores files in a database', async () => {
  const app = await storeIn({ STORAGE: 'sqlite', UPLOADS: join(folder, 'uploads.db') });
  expect((await stat(join(folder, 'uploads.db'))).isFile()).toBe(true);
  await app.close();
});

it('stores files in a bucket', async () => {
  if (server === undefined) return;
  const bucket = await server.makeBucket();
  const { endpoint, region, credentials } = server.connection;
  const app = await storeIn({
    STORAGE: 's3',
    UPLOADS: bucket,
    AWS_REGION: region,
    S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  expect(await server.keys(bucket)).toEqual(['ada.txt']);
  await app.close();
  await server.removeBucket(bucket);
});
