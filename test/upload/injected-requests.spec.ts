import { Body, Controller, Get, Module, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeStorage } from 'nestjs-storages/testing';
import {
  Storage,
  StorageBodyInterceptor,
  storedFile,
  StorageFileInterceptor,
  StorageModule,
  type StoredFileAnswer,
  type StoredUpload,
} from 'nestjs-storages';
import { field, file, form, FORM_TYPE } from './form.js';

const ORIGIN = 'http://localhost';

// What tests of a Fastify application use in place of a socket: light-my-request.
describe('A request by inject(), which has no socket', () => {
  let storage: FakeStorage;
  let app: NestFastifyApplication;
  /** Listeners beyond what Node takes for no leak. */
  let tooMany: number;

  @Controller()
  class FilesController {
    constructor(private readonly files: Storage) {}

    @Post('form')
    @UseInterceptors(StorageFileInterceptor('file', { limits: { fileSize: 400_000 } }))
    form(@UploadedFile() upload: StoredUpload, @Body() body: unknown): unknown {
      return { size: upload.size, body };
    }

    @Post('raw')
    @UseInterceptors(StorageBodyInterceptor())
    raw(@UploadedFile() upload: StoredUpload): unknown {
      return { size: upload.size };
    }

    @Get('file')
    file(): StoredFileAnswer {
      return storedFile(this.files, 'file.txt');
    }
  }

  beforeEach(async () => {
    storage = new FakeStorage();

    @Module({
      imports: [
        StorageModule.forRoot({
          storages: { files: storage },
          serve: { path: 'signed', baseUrl: ORIGIN, secrets: ['a secret of at least 32 bytes, or so'] },
        }),
      ],
      controllers: [FilesController],
    })
    class AppModule {}

    app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    tooMany = 0;
    const server = app.getHttpAdapter().getInstance();
    server.addHook('onRequest', (_request, { raw }, done) => {
      raw.on('newListener', (name: string) => {
        if (raw.listenerCount(name) + 1 > raw.getMaxListeners()) tooMany++;
      });
      done();
    });
    await app.init();
  });
  afterEach(() => app.close());

  const post = (url: string, payload: Buffer, type = FORM_TYPE) =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });

  it('uploads a form', async () => {
    const answer = await post('/form', form(file(Buffer.alloc(300_000)), field('a', 'b')));
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toEqual({ size: 300_000, body: { a: 'b' } });
  });

  it('is refused as any other, and leaves nothing', async () => {
    expect((await post('/form', form(file(Buffer.alloc(500_000))))).statusCode).toBe(413);
    expect((await post('/form', form(file(Buffer.alloc(10))).subarray(0, -20))).statusCode).toBe(400);
    expect((await post('/form', Buffer.from('{}'), 'application/json')).statusCode).toBe(500);
    storage.assertCount(0);
  });

  it('uploads a raw body', async () => {
    expect((await post('/raw', Buffer.alloc(300_000), 'video/mp4')).json()).toEqual({ size: 300_000 });
  });

  it('downloads, a range too, and adds no more listeners than Node takes for no leak', async () => {
    await storage.put('file.txt', '0123456789');
    expect((await app.inject('/file')).payload).toBe('0123456789');
    const part = await app.inject({ url: '/file', headers: { range: 'bytes=2-4' } });
    expect([part.statusCode, part.payload]).toEqual([206, '234']);
    const etag = String(part.headers.etag);
    expect((await app.inject({ url: '/file', headers: { 'if-none-match': etag } })).statusCode).toBe(304);
    expect(tooMany).toBe(0);
  });

  it('uses signed URLs', async () => {
    const upload = await storage.uploadUrl('new.txt', { expiresIn: '1m', contentType: 'text/plain' });
    const { pathname, search } = new URL(upload.url);
    const put = await app.inject({
      method: 'PUT',
      url: pathname + search,
      headers: upload.method === 'PUT' ? upload.headers : {},
      payload: 'new',
    });
    expect(put.statusCode).toBe(200);
    storage.assertContent('new.txt', 'new');
    const url = new URL(await storage.url('new.txt', { expiresIn: '1m' }));
    expect((await app.inject(url.pathname + url.search)).payload).toBe('new');
  });
});
