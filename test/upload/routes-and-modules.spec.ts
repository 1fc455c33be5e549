import {
  Controller,
  Module,
  Next,
  Post,
  Req,
  Res,
  Scope,
  UploadedFile,
  UseInterceptors,
  Version,
  VersioningType,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Storage, StorageFileInterceptor, StorageModule, type StoredUpload } from 'nestjs-storages';
import { file, form, FORM_TYPE } from './form.js';
import { ModuleApplication } from './module-application.js';
import { WatchedStorage } from './watched-storage.js';

describe('An upload in Nest', () => {
  let storage: WatchedStorage;
  let application: ModuleApplication | undefined;

  beforeEach(() => {
    storage = new WatchedStorage();
  });

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  async function start(
    controllers: Type[],
    prepare: Parameters<typeof ModuleApplication.start>[1] = () => undefined,
    providers: NonNullable<Parameters<typeof Module>[0]['providers']> = [],
  ): Promise<ModuleApplication> {
    const root: Type = class AppModule {};
    Module({ controllers, providers: [{ provide: Storage, useFactory: () => storage }, ...providers] })(root);
    application = await ModuleApplication.start(root, prepare);
    return application;
  }

  it.each([
    ['URI', { type: VersioningType.URI } as const, '/api/v2/files/upload', {}],
    [
      'header',
      { type: VersioningType.HEADER, header: 'X-Version' } as const,
      '/api/files/upload',
      { 'X-Version': '2' },
    ],
    [
      'media type',
      { type: VersioningType.MEDIA_TYPE, key: 'v=' } as const,
      '/api/files/upload',
      { Accept: 'application/json;v=2' },
    ],
  ])('works on routes with a version (%s) under a global prefix', async (_how, versioning, path, headers) => {
    @Controller('files')
    class VersionedController {
      @Post('upload')
      @Version('1')
      first(): string {
        return 'first';
      }

      @Post('upload')
      @Version('2')
      @UseInterceptors(StorageFileInterceptor('file'))
      second(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    const running = await start([VersionedController], (app) =>
      app.setGlobalPrefix('api').enableVersioning(versioning),
    );
    expect(await running.send(path, form(file('hello')), headers)).toMatchObject({ status: 201, body: { size: 5 } });
  });

  it('works on routes of one host', async () => {
    @Controller({ host: 'files.test' })
    class HostController {
      @Post('upload')
      @UseInterceptors(StorageFileInterceptor('file'))
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    const running = await start([HostController]);
    const answer = await running.send('/upload', form(file('hello')), { Host: 'files.test' });
    expect(answer).toMatchObject({ status: 201, body: { size: 5 } });
    expect((await running.send('/upload', form(file('hello')))).status).toBe(404);
  });

  it('works on two routes of one controller, at the controller itself, and in controllers that inherit', async () => {
    class Base {
      @Post('first')
      @UseInterceptors(StorageFileInterceptor('file', { limits: { fileSize: 3 } }))
      first(@UploadedFile() upload: StoredUpload): unknown {
        return { first: upload.size };
      }

      @Post('second')
      @UseInterceptors(StorageFileInterceptor('other'))
      second(@UploadedFile() upload: StoredUpload): unknown {
        return { second: upload.fieldname };
      }
    }
    @Controller('inherits')
    class Inheriting extends Base {}

    @Controller('whole')
    @UseInterceptors(StorageFileInterceptor('file'))
    class Whole {
      @Post('upload')
      upload(@UploadedFile() upload: StoredUpload | undefined): unknown {
        return { size: upload?.size ?? null };
      }
    }
    const running = await start([Inheriting, Whole]);
    expect((await running.post('/inherits/first', file('123'))).body).toEqual({ first: 3 });
    expect((await running.post('/inherits/first', file('1234'))).status).toBe(413);
    expect((await running.post('/inherits/second', file('1', 'other'))).body).toEqual({ second: 'other' });
    expect((await running.post('/whole/upload', file('1234'))).body).toEqual({ size: 4 });
    expect((await running.send('/whole/upload', '{}', { 'Content-Type': 'application/json' })).body).toEqual({
      size: null,
    });
  });

  it('works as a global interceptor, and in controllers of a request', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      @Post('upload')
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    const running = await start([ScopedController], undefined, [
      { provide: APP_INTERCEPTOR, useClass: StorageFileInterceptor('file') },
    ]);
    expect((await running.post('/scoped/upload', file('1234'))).body).toEqual({ size: 4 });
  });

  // Nest calls no hook on an interceptor that depends on something of the request: on Fastify the module lets the bodies pass.
  it('works with a storage of the request', async () => {
    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(StorageFileInterceptor('file'))
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    @Module({
      imports: [StorageModule.forRoot({ default: false, storages: {} })],
      controllers: [UploadController],
      providers: [{ provide: Storage, useFactory: () => storage, scope: Scope.REQUEST }],
    })
    class RequestModule {}
    application = await ModuleApplication.start(RequestModule);
    const running = application;
    expect(await running.post('/upload', file('1234'))).toMatchObject({ status: 201, body: { size: 4 } });
  });

  it('works where StorageModule is not global and imported by its module', async () => {
    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(StorageFileInterceptor('file'))
      upload(@UploadedFile() upload: StoredUpload): unknown {
        return { size: upload.size };
      }
    }
    const storages = StorageModule.forRoot({ isGlobal: false, storages: { only: storage } });
    @Module({ imports: [storages], controllers: [UploadController] })
    class Importing {}
    application = await ModuleApplication.start(Importing);
    expect((await application.post('/upload', file('1234'))).body).toEqual({ size: 4 });
  });

  describe('with a handler that answers by itself', () => {
    const statusOf = (request: { headers: Record<string, string> }): number => Number(request.headers['x-status']);

    @Controller()
    class AnsweringController {
      @Post('response')
      @UseInterceptors(StorageFileInterceptor('file'))
      response(@UploadedFile() _upload: StoredUpload, @Req() request: never, @Res() response: object): void {
        const raw = ('raw' in response ? response.raw : response) as ServerResponse;
        raw.writeHead(statusOf(request), { 'Content-Length': '2' }).end('ok');
      }

      @Post('late')
      @UseInterceptors(StorageFileInterceptor('file', { commit: 'afterHandler' }))
      late(@UploadedFile() _upload: StoredUpload, @Res() _response: object): void {
        throw new Error('must not run');
      }

      @Post('next')
      @UseInterceptors(StorageFileInterceptor('file', { key: () => 'k', overwrite: true }))
      next(@UploadedFile() _upload: StoredUpload, @Next() _next: () => void): void {
        throw new Error('must not run');
      }

      @Post('passing/before')
      @UseInterceptors(StorageFileInterceptor('file'))
      before(@UploadedFile() upload: StoredUpload, @Res({ passthrough: true }) _response: object): unknown {
        return { size: upload.size };
      }

      @Post('passing/after')
      @UseInterceptors(StorageFileInterceptor('file', { commit: 'afterHandler' }))
      after(@UploadedFile() upload: StoredUpload, @Res({ passthrough: true }) _response: object): unknown {
        return { size: upload.size };
      }
    }

    it.each([200, 202, 302, 400, 404, 500])(
      'keeps the file where that is %i below 400, and removes it above',
      async (status) => {
        const running = await start([AnsweringController]);
        const answer = await running.send('/response', form(file('x')), { 'X-Status': String(status) });
        expect(answer.status).toBe(status);
        await running.untilNoConnection();
        if (status >= 400) await storage.untilNothing();
        else expect(await storage.keys()).toHaveLength(1);
      },
    );

    it.each(['/late', '/next'])(
      'is refused where files are committed after it, before a byte is stored (%s)',
      async (path) => {
        const running = await start([AnsweringController]);
        const client = await running.connect();
        client.head({ 'Content-Length': '100000', 'Content-Type': FORM_TYPE }, path);
        expect((await client.answer()).status).toBe(500);
        client.destroy();
        expect(storage.sourcesEnded + storage.staged + storage.staging).toBe(0);
      },
    );

    it.each(['/passing/before', '/passing/after'])(
      'is none where the response only passes through (%s)',
      async (path) => {
        const running = await start([AnsweringController]);
        expect((await running.post(path, file('1234'))).body).toEqual({ size: 4 });
        expect(await storage.keys()).toHaveLength(1);
      },
    );
  });
});
