import { Controller, Module, Post, UploadedFile, UseGuards, UseInterceptors, type CanActivate } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Storage, StorageBodyInterceptor, StorageFileInterceptor, type StoredUpload } from 'nestjs-storages';
import { file, form, FORM_TYPE, partHead } from './form.js';
import { ModuleApplication } from './module-application.js';
import { WatchedStorage } from './watched-storage.js';

const MIB = 1024 * 1024;
const refusing: CanActivate = { canActivate: () => false };
const nothing: CanActivate = { canActivate: () => true };

describe.each(['global', 'controller', 'route'])('A request that a %s guard refuses', (where) => {
  let storage: WatchedStorage;
  let application: ModuleApplication;
  let asked: string[];

  beforeEach(async () => {
    storage = new WatchedStorage();
    asked = [];
    const options = {
      key: () => {
        asked.push('key');
        return 'k';
      },
      onProgress: () => {
        asked.push('onProgress');
      },
      limits: () => {
        asked.push('limits');
        return {};
      },
    };

    @Controller()
    @UseGuards(where === 'controller' ? refusing : nothing)
    class GuardedController {
      @Post('upload')
      @UseGuards(where === 'route' ? refusing : nothing)
      @UseInterceptors(StorageFileInterceptor('file', options))
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return upload;
      }

      @Post('raw')
      @UseGuards(where === 'route' ? refusing : nothing)
      @UseInterceptors(StorageBodyInterceptor(options))
      raw(@UploadedFile() upload: StoredUpload): unknown {
        return upload;
      }
    }

    @Module({
      controllers: [GuardedController],
      providers: [
        { provide: Storage, useFactory: () => storage },
        { provide: APP_GUARD, useValue: where === 'global' ? refusing : nothing },
      ],
    })
    class AppModule {}
    application = await ModuleApplication.start(AppModule);
  });

  afterEach(async () => {
    await application.close();
  });

  function expectUntouched(): void {
    expect(asked).toEqual([]);
    expect(storage.staged + storage.staging + storage.sourcesEnded).toBe(0);
  }

  it('is answered before a byte of its body has come', async () => {
    const client = await application.connect();
    client.head({ 'Content-Length': String(10 * MIB) });
    expect((await client.answer()).status).toBe(403);
    expectUntouched();
    client.destroy();
  });

  it.each(['/upload', '/raw'])('can be read by a client that is still sending 50 MiB to %s', async (path) => {
    const client = await application.connect();
    const type = path === '/raw' ? 'application/octet-stream' : FORM_TYPE;
    client.head({ 'Content-Length': String(50 * MIB), 'Content-Type': type }, path);
    // the answer is read only when all is sent, or when the server has ended the connection
    await client.send(partHead({ name: 'file', filename: 'a' }));
    let left = 50 * MIB - partHead({ name: 'file', filename: 'a' }).length;
    for (const chunk = Buffer.alloc(MIB); left > 0; left -= MIB) {
      if (!(await client.send(chunk.subarray(0, Math.min(left, MIB))))) break;
    }
    const answer = await client.answer();
    expect(answer.status).toBe(403);
    expectUntouched();
    if (answer.headers.get('connection') === 'close') {
      await client.closed();
    } else {
      client.post(form(file('next')));
      expect((await client.answer()).status).toBe(403);
    }
    client.destroy();
  });

  it('leaves a connection that serves the next one, or says that it does not', async () => {
    const client = await application.connect();
    for (let round = 0; round < 10; round++) {
      client.post(form(file(Buffer.alloc(100_000))));
      const answer = await client.answer();
      expect(answer.status).toBe(403);
      expect(answer.headers.get('connection')).not.toBe('close');
    }
    expectUntouched();
    client.destroy();
  });
});
