/**
 * What a stranger does with the installed package. `.ci/smoke` compiles this one text as CommonJS for Nest 11 and as an ES module for
 * Nest 12, installs the packed tarball beside it, and runs it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Module, Post, UploadedFile, UseInterceptors, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  FileSystemStorage,
  InjectStorage,
  MemoryStorage,
  Storage,
  StorageFileInterceptor,
  StorageModule,
  StorageRegistry,
  getStorageToken,
  isStorage,
  type StoredUpload,
} from 'nestjs-storages';
import { FakeStorage, storageConformance } from 'nestjs-storages/testing';

@Controller()
class UploadController {
  constructor(
    @InjectStorage('uploads') private readonly uploads: Storage,
    // by its type alone, which only the metadata of decorators tells
    private readonly registry: StorageRegistry,
  ) {}

  @Post()
  @UseInterceptors(StorageFileInterceptor('file', { storage: 'uploads' }))
  async upload(@UploadedFile() file: StoredUpload): Promise<{ key: string; text: string }> {
    assert.equal(this.registry.get('uploads'), this.uploads);
    return { key: file.key, text: (await this.uploads.getBytes(file.key)).toString() };
  }
}

async function main(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-smoke-'));
  try {
    await run(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

async function run(root: string): Promise<void> {
  @Module({
    imports: [
      StorageModule.forRoot({
        default: 'uploads',
        storages: { uploads: new FileSystemStorage({ root }), drafts: new MemoryStorage() },
      }),
    ],
    controllers: [UploadController],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');

  const uploads = app.get(Storage);
  assert.equal(app.get(StorageRegistry).get('uploads'), uploads);
  await store(uploads);
  await store(app.get<Storage>(getStorageToken('drafts')));
  await upload(app, root);
  await app.close();
  await assert.rejects(uploads.info('a/b.txt'), { code: 'STORAGE_CLOSED' });

  const fake = new FakeStorage();
  await fake.put('a.txt', 'a');
  fake.assertExists('a.txt');
  assert.ok(isStorage(fake));
  assert.equal(typeof storageConformance, 'function');
}

async function store(storage: Storage): Promise<void> {
  const file = await storage.put('a/b.txt', 'hello', { metadata: { owner: 'ada' } });
  assert.deepEqual(await storage.info('a/b.txt'), file);
  assert.equal((await storage.getBytes('a/b.txt')).toString(), 'hello');
  const keys: string[] = [];
  for await (const { key } of storage.list()) keys.push(key);
  assert.deepEqual(keys, ['a/b.txt']);
  await assert.rejects(storage.get('missing'), { code: 'FILE_NOT_FOUND' });
}

async function upload(app: INestApplication, root: string): Promise<void> {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const form = new FormData();
  form.append('file', new Blob(['from a client']), 'note.txt');
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form });
  assert.equal(response.status, 201);
  const { key, text } = (await response.json()) as { key: string; text: string };
  assert.equal(text, 'from a client');
  assert.equal(await readFile(join(root, key), 'utf8'), text);
}

main().then(
  () => {
    console.log('stored, read, listed, uploaded, closed');
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
