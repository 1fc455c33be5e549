import {
  Body,
  Controller,
  Module,
  Post,
  UploadedFile,
  UseInterceptors,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Storage, StorageBodyInterceptor, StorageFileInterceptor, type StoredUpload } from 'nestjs-storages';
import { field, file, form } from './form.js';
import { ModuleApplication } from './module-application.js';
import { WatchedStorage } from './watched-storage.js';

const { platform, nestMajor } = globalThis as { readonly platform?: 'fastify'; readonly nestMajor?: number };
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('An upload beside what else an application has', () => {
  let storage: WatchedStorage;
  let application: ModuleApplication | undefined;

  @Controller()
  class UploadController {
    @Post('upload')
    @UseInterceptors(StorageFileInterceptor('file'))
    upload(@UploadedFile() upload: StoredUpload | undefined, @Body() body: unknown): unknown {
      return { size: upload?.size ?? null, kind: typeof upload, body };
    }

    @Post('json')
    json(@Body() body: unknown): unknown {
      return { body };
    }
  }

  beforeEach(() => {
    storage = new WatchedStorage();
  });

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  async function start(controllers: Type[], prepare?: (app: INestApplication) => unknown): Promise<ModuleApplication> {
    const root: Type = class AppModule {};
    Module({ controllers, providers: [{ provide: Storage, useFactory: () => storage }] })(root);
    application = await ModuleApplication.start(root, prepare);
    return application;
  }

  async function expectOwnRoutes(running: ModuleApplication): Promise<void> {
    expect(await running.post('/upload', file(Buffer.alloc(300_000)), field('a[b]', 'c'))).toMatchObject({
      status: 201,
      body: { size: 300_000, body: { a: { b: 'c' } } },
    });
    const none = { size: null, kind: 'undefined' };
    expect((await running.post('/upload', field('a', 'b'))).body).toEqual({ ...none, body: { a: 'b' } });
    expect((await running.send('/upload', '{"a":1}', JSON_TYPE)).body).toEqual({ ...none, body: { a: 1 } });
    expect((await running.send('/json', '{"a":1}', JSON_TYPE)).body).toEqual({ body: { a: 1 } });
    expect(await storage.keys()).toHaveLength(1);
  }

  it('works alone, and leaves the other routes their JSON and their 415', async () => {
    const running = await start([UploadController]);
    await expectOwnRoutes(running);
    const { status } = await running.send('/json', 'x', { 'Content-Type': 'application/x-unknown' });
    expect(status).toBe(platform === 'fastify' ? 415 : 201);
  });

  it('of a raw body leaves the other routes their JSON', async () => {
    @Controller()
    class RawController {
      @Post('raw')
      @UseInterceptors(StorageBodyInterceptor())
      raw(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    const running = await start([UploadController, RawController]);
    expect((await running.send('/raw', 'x', { 'Content-Type': 'application/x-unknown' })).body).toEqual({ size: 1 });
    await storage.delete((await storage.keys())[0] ?? '');
    await expectOwnRoutes(running);
  });

  if (platform !== 'fastify') {
    it("works beside Nest's FileInterceptor", async () => {
      @Controller()
      class MulterController {
        @Post('multer')
        @UseInterceptors(FileInterceptor('file'))
        multer(@UploadedFile() upload: { readonly buffer: Buffer }): unknown {
          return { size: upload.buffer.length };
        }
      }
      const running = await start([UploadController, MulterController]);
      await expectOwnRoutes(running);
      expect((await running.post('/multer', file('1234'))).body).toEqual({ size: 4 });
    });

    it("answers, and leaves nothing, where a route has Nest's FileInterceptor within it", async () => {
      @Controller()
      class BothController {
        @Post('both')
        @UseInterceptors(StorageFileInterceptor('file'), FileInterceptor('file'))
        both(): unknown {
          return 'never';
        }
      }
      const running = await start([UploadController, BothController]);
      for (const size of [10, 300_000]) {
        const answer = await running.post('/both', file(Buffer.alloc(size)), field('a', 'b'));
        // multer finds nothing left of the body
        expect(answer).toMatchObject({ status: 400, body: { message: 'Multipart: Unexpected end of form' } });
      }
      expect(await storage.keys()).toEqual([]);
    });
    return;
  }

  interface Registering {
    register(plugin: unknown, options?: object): Promise<unknown>;
  }
  const register = async (app: INestApplication, options: object): Promise<void> => {
    const { default: multipart } = await import('@fastify/multipart');
    await (app as unknown as Registering).register(multipart, options);
  };

  it.each(['before', 'after'])('works with @fastify/multipart registered %s its own start', async (when) => {
    const running = await start([UploadController], async (app) => {
      if (when === 'after') await app.init();
      await register(app, {});
    });
    await expectOwnRoutes(running);
  });

  it('answers a clear error where @fastify/multipart has read the body, and does not hang', async () => {
    const running = await start([UploadController], (app) => register(app, { attachFieldsToBody: true }));
    for (const size of [10, 300_000]) {
      const answer = await running.post('/upload', file(Buffer.alloc(size)), field('a', 'b'));
      expect(answer).toMatchObject({ status: 500, body: { code: 'STORAGE_FAILURE' } });
    }
    expect((await running.send('/json', '{"a":1}', JSON_TYPE)).body).toEqual({ body: { a: 1 } });
    expect(await storage.keys()).toEqual([]);
  });

  if (nestMajor === 12) {
    it("works beside Nest 12's own interceptors of Fastify", async () => {
      const { FileInterceptor: FastifyFileInterceptor } = await import('@nestjs/platform-fastify/multipart');

      @Controller()
      class FastifyController {
        @Post('own')
        @UseInterceptors(FastifyFileInterceptor('file'))
        own(@UploadedFile() upload: { readonly size: number }): unknown {
          return { size: upload.size };
        }
      }
      const running = await start([UploadController, FastifyController]);
      await expectOwnRoutes(running);
      expect((await running.post('/own', file('1234'))).body).toEqual({ size: 4 });
      expect((await running.send('/own', form(field('a', 'b')))).status).toBeGreaterThanOrEqual(400);
    });
  }
});
