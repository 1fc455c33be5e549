import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Catch,
  ConflictException,
  Controller,
  Module,
  Post,
  UploadedFile,
  UseFilters,
  UseInterceptors,
  type ArgumentsHost,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { catchError, delay, map, mergeMap, of, repeat, retry, tap, throwError, type Observable } from 'rxjs';
import {
  Storage,
  StorageBodyInterceptor,
  StorageFileInterceptor,
  UploadException,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import { file, form, FORM_TYPE } from './form.js';
import { ModuleApplication } from './module-application.js';
import { UploadApplication, type Handler } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const small = Buffer.alloc(100, 1);
const around = (how: (answer: Observable<unknown>) => Observable<unknown>): NestInterceptor => ({
  intercept: (_context, next) => how(next.handle()),
});

describe('Interceptors around an upload', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;

  async function start(interceptors: NestInterceptor[], handler?: Handler, options: UploadOptions = {}): Promise<void> {
    application = await UploadApplication.start({
      storage,
      interceptors,
      options,
      ...(handler === undefined ? undefined : { handler }),
    });
  }

  beforeEach(() => {
    storage = new WatchedStorage();
  });

  afterEach(async () => {
    await application.close();
  });

  it('see its answer and may map it', async () => {
    const seen: unknown[] = [];
    await start(
      [
        around((answer) => answer.pipe(map((value) => ({ wrapped: value })))),
        around((answer) => answer.pipe(tap((value) => seen.push(value)))),
      ],
      () => 'x',
    );
    expect((await application.post(file(small))).body).toEqual({ wrapped: 'x' });
    expect(seen).toEqual(['x']);
    expect(await storage.keys()).toHaveLength(1);
  });

  it('that answer from a cache leave the body unread and store nothing', async () => {
    let handled = 0;
    await start([{ intercept: () => of({ cached: true }) }], () => ++handled);
    const client = await application.connect();
    for (let round = 0; round < 3; round++) {
      client.post(form(file(Buffer.alloc(300_000))));
      expect(await client.answer()).toMatchObject({ status: 201, body: { cached: true } });
    }
    client.destroy();
    expect([handled, storage.sourcesEnded, (await storage.keys()).length]).toEqual([0, 0, 0]);
  });

  describe.each([
    ['retry', retry({ count: 2 }) as (answer: Observable<unknown>) => Observable<unknown>],
    ['repeat', repeat({ count: 2 }) as (answer: Observable<unknown>) => Observable<unknown>],
  ])('that subscribe again (%s)', (how, again) => {
    it('get a clear error, since the body has gone by, and nothing is left of the first run that failed', async () => {
      let handled = 0;
      const errors: unknown[] = [];
      await start(
        [
          around((answer) =>
            answer.pipe(
              again,
              catchError((error: unknown) => {
                errors.push(error);
                return throwError(() => error);
              }),
            ),
          ),
        ],
        () => {
          handled++;
          if (how === 'retry') throw new ConflictException();
          return 'x';
        },
      );
      const answer = await application.post(file(small));
      expect(answer.status).toBe(500);
      expect(handled).toBe(1);
      expect((errors[0] as Error).cause).toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringMatching(/retry/) as unknown,
      });
      expect(JSON.stringify(answer.body)).not.toContain('retry');
      await storage.untilNothing();
    });
  });

  it.each(['beforeHandler', 'afterHandler'] as const)(
    'that fail later than the handler leave nothing (%s)',
    async (commit) => {
      await start(
        [
          around((answer) =>
            answer.pipe(
              delay(1),
              mergeMap(() => throwError(() => new ConflictException())),
            ),
          ),
        ],
        () => 'x',
        { commit },
      );
      expect((await application.post(file(small))).status).toBe(409);
      await storage.untilNothing();
    },
  );

  it('that make an answer of a failure are heard, and nothing is left', async () => {
    await start(
      [around((answer) => answer.pipe(catchError((error: unknown) => of({ code: (error as UploadException).code }))))],
      undefined,
      {
        limits: { fileSize: 10 },
      },
    );
    expect(await application.post(file(small))).toMatchObject({ status: 201, body: { code: 'LIMIT_FILE_SIZE' } });
    await storage.untilNothing();
  });

  it('that wait after the handler keep the file of a success', async () => {
    await start([around((answer) => answer.pipe(delay(5)))], () => 'x');
    expect((await application.post(file(small))).status).toBe(201);
    expect(await storage.keys()).toHaveLength(1);
  });
});

@Catch(UploadException)
class CodeFilter implements ExceptionFilter<UploadException> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: UploadException, host: ArgumentsHost): void {
    const body = { told: error.code, status: error.getStatus() };
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), body, 418);
  }
}

describe('What an application has of an upload', () => {
  const store = new AsyncLocalStorage<string>();
  let storage: WatchedStorage;
  let application: ModuleApplication;
  let seen: Record<string, string | undefined>;
  const see = (where: string): void => {
    seen[where] = store.getStore();
  };

  beforeEach(async () => {
    storage = new WatchedStorage();
    seen = {};
    const options: UploadOptions = {
      limits: () => (see('limits'), { fileSize: 500_000 }),
      filter: () => (see('filter'), true),
      key: ({ originalname }) => (see('key'), originalname),
      metadata: () => (see('metadata'), {}),
      transform: () => (see('transform'), undefined),
      scan: () => (see('scan'), true),
      onProgress: () => {
        see('onProgress');
      },
    };

    @Controller()
    @UseFilters(CodeFilter)
    class ContextController {
      @Post('form')
      @UseInterceptors(
        StorageFileInterceptor('file', {
          ...options,
          checksum: { algorithm: 'md5', field: () => (see('checksum'), 'md5') },
        }),
      )
      upload(@UploadedFile() _upload: StoredUpload): void {
        see('handler');
      }

      @Post('raw')
      @UseInterceptors(StorageBodyInterceptor({ ...options, key: () => (see('key'), 'raw') }))
      raw(@UploadedFile() _upload: StoredUpload): void {
        see('handler');
      }
    }

    @Module({ controllers: [ContextController], providers: [{ provide: Storage, useFactory: () => storage }] })
    class AppModule {}
    application = await ModuleApplication.start(AppModule, (app) => {
      app.use((request: { headers: Record<string, string> }, _response: unknown, next: () => void) => {
        store.run(request.headers['x-request'] ?? '', next);
      });
    });
  });

  afterEach(async () => {
    await application.close();
  });

  it.each(['/form', '/raw'])('is in the context of its request: every function and the handler (%s)', async (path) => {
    const type = path === '/raw' ? 'application/octet-stream' : FORM_TYPE;
    const bytes = Buffer.alloc(200_000, 1);
    const client = await application.connect();
    // two requests on one connection: the second must not see the first one's
    for (const request of ['first', 'second']) {
      seen = {};
      client.post(
        path === '/raw' ? bytes : form(file(bytes, 'file', request)),
        { 'X-Request': request, 'Content-Type': type },
        path,
      );
      const answer = await client.answer();
      if (path === '/form') expect(answer.status).toBe(201);
      const expected = [
        'limits',
        'filter',
        'key',
        'metadata',
        'transform',
        'scan',
        'onProgress',
        'handler',
        ...(path === '/form' ? ['checksum'] : []),
      ];
      expect(seen).toEqual(Object.fromEntries(expected.map((where) => [where, request])));
      await storage.delete('raw', { force: true });
    }
    client.destroy();
  });

  it('reaches exception filters with its code', async () => {
    const answer = await application.post('/form', file(Buffer.alloc(500_001)));
    expect(answer).toMatchObject({ status: 418, body: { told: 'LIMIT_FILE_SIZE', status: 413 } });
    await storage.untilNothing();
  });
});
