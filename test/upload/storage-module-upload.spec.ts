import { Controller, Module, Post, UploadedFile, UseInterceptors, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  FileNotFoundError,
  MemoryStorage,
  StorageFileInterceptor,
  StorageModule,
  type StorageModuleOptions,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import { file, form } from './form.js';
import { RawClient, type Answer } from './raw-client.js';

describe('StorageFileInterceptor beside StorageModule', () => {
  let close: () => Promise<void> = () => Promise.resolve();

  afterEach(async () => {
    await close();
  });

  async function post(
    module: StorageModuleOptions,
    options: UploadOptions = {},
    handler: (upload: StoredUpload) => unknown = (upload) => upload,
  ): Promise<Answer> {
    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(StorageFileInterceptor('file', options))
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return handler(upload);
      }
    }
    const root: Type = class AppModule {};
    Module({ imports: [StorageModule.forRoot(module)], controllers: [UploadController] })(root);

    const app = await NestFactory.create(root, { logger: false, abortOnError: false });
    close = () => app.close();
    await app.listen(0, '127.0.0.1');
    const client = await RawClient.connect(((app.getHttpServer() as Server).address() as AddressInfo).port);
    client.post(form(file('hello')));
    const answer = await client.answer();
    client.destroy();
    return answer;
  }

  const storages = (): { one: MemoryStorage; two: MemoryStorage } => ({
    one: new MemoryStorage(),
    two: new MemoryStorage(),
  });

  it('stores in the default storage, under its registered name', async () => {
    const { body } = await post({ default: 'two', storages: storages() });
    expect(body).toMatchObject({ storage: 'two' });
  });

  it('stores in the storage that the interceptor names', async () => {
    const { body } = await post({ default: 'two', storages: storages() }, { storage: 'one' });
    expect(body).toMatchObject({ storage: 'one' });
  });

  it('stores in the storage that the module-wide defaults name, with their key', async () => {
    const given = storages();
    const { body } = await post({ default: 'two', storages: given, upload: { storage: 'one', key: () => 'a/b' } });
    expect(body).toMatchObject({ storage: 'one', key: 'a/b' });
    expect((await given.one.getBytes('a/b')).toString()).toBe('hello');
  });

  it('needs no default storage where the module-wide defaults name one', async () => {
    const { body } = await post({ storages: storages(), upload: { storage: 'two' } });
    expect(body).toMatchObject({ storage: 'two' });
  });

  it.each([
    ['the interceptor names an unknown storage', {}, { storage: 'three' }],
    ['the module-wide defaults name an unknown storage', { upload: { storage: 'three' } }, {}],
    ['nobody names a storage and there is no default', {}, {}],
  ])('fails at the start when %s, and lists the known ones', async (_what, module, options) => {
    await expect(post({ storages: storages(), ...module }, options)).rejects.toThrow(/one.*two/s);
  });

  it('leaves the storage errors of the handler to the exception filter', async () => {
    const answer = await post({ storages: { only: new MemoryStorage() } }, {}, () => {
      throw new FileNotFoundError('a');
    });
    expect(answer.status).toBe(404);
  });
});
