import {
  BadRequestException,
  ConflictException,
  MaxFileSizeValidator,
  FileTypeValidator,
  ParseFilePipe,
  RequestTimeoutException,
  type NestInterceptor,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  catchError,
  concat,
  first,
  firstValueFrom,
  from,
  map,
  NEVER,
  of,
  throwError,
  timeout,
  TimeoutError as RxTimeoutError,
  type Observable,
} from 'rxjs';
import {
  ConnectionError,
  IntegrityError,
  PermissionError,
  QuotaExceededError,
  StorageClosedError,
  StorageError,
  TimeoutError,
  UnsupportedOperationError,
  type StoredUpload,
} from 'nestjs-storages';
import { field, file, form, partHead } from './form.js';
import { UploadApplication, type UploadApplicationOptions } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const small = Buffer.alloc(100, 1);
const large = Buffer.alloc(300 * 1024, 2);

describe('An upload that fails after its file has arrived', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;

  async function start(setup: Partial<UploadApplicationOptions> = {}): Promise<UploadApplication> {
    application = await UploadApplication.start({ storage, ...setup });
    return application;
  }

  beforeEach(() => {
    storage = new WatchedStorage();
  });

  afterEach(async () => {
    await application.close();
  });

  async function expectNothing(): Promise<void> {
    expect(await storage.keys()).toEqual([]);
    expect({ staged: storage.staged, staging: storage.staging }).toEqual({ staged: 0, staging: 0 });
  }

  const failing = {
    'throws at once': () => {
      throw new ConflictException();
    },
    'rejects later': async () => {
      await Promise.resolve();
      throw new ConflictException();
    },
    'gives an Observable that fails': () => throwError(() => new ConflictException()),
    'gives an Observable that fails after a value': () =>
      concat(
        of(1),
        throwError(() => new ConflictException()),
      ),
  };

  describe.each(Object.entries(failing))('because the handler %s', (_how, handler) => {
    it.each([small, large])('removes what was committed', async (data) => {
      let seen: string[] = [];
      await start({
        handler: async () => {
          seen = await storage.keys();
          return handler();
        },
      });
      expect((await application.post(file(data))).status).toBe(409);
      expect(seen).toHaveLength(1);
      await expectNothing();
    });

    it('leaves the old file under a key that may be overwritten', async () => {
      await storage.put('fixed', 'old');
      await start({ options: { key: () => 'fixed', overwrite: true }, handler });
      expect((await application.post(file(large))).status).toBe(409);
      expect((await storage.getBytes('fixed')).toString()).toBe('old');
      expect(storage.staged).toBe(0);
    });
  });

  it('removes only its own version when another has replaced it meanwhile', async () => {
    await start({
      options: { key: () => 'fixed' },
      handler: async () => {
        await storage.put('fixed', 'newer');
        throw new ConflictException();
      },
    });
    expect((await application.post(file(small))).status).toBe(409);
    expect((await storage.getBytes('fixed')).toString()).toBe('newer');
  });

  it('removes what was committed when a pipe of another argument refuses', async () => {
    const pipe = {
      transform: () => {
        throw new BadRequestException('no');
      },
    };
    await start({ pipes: [pipe] });
    expect((await application.post(file(large))).status).toBe(400);
    await expectNothing();
  });

  it('removes what was committed when ParseFilePipe refuses the size', async () => {
    await start({ pipes: [new ParseFilePipe({ validators: [new MaxFileSizeValidator({ maxSize: 50 })] })] });
    expect((await application.post(file(small))).status).toBe(400);
    await expectNothing();
    expect((await application.post(file('ok'))).status).toBe(201);
  });

  it('removes what was committed when ParseFilePipe refuses the type', async () => {
    const validators = [new FileTypeValidator({ fileType: 'image/png', skipMagicNumbersValidation: true })];
    await start({ pipes: [new ParseFilePipe({ validators })] });
    expect((await application.post(file(small, 'file', 'a.txt', 'text/plain'))).status).toBe(400);
    await expectNothing();
    expect((await application.post(file(small, 'file', 'a.png', 'image/png'))).status).toBe(201);
  });

  it('removes nothing and stores nothing when ParseFilePipe misses the file', async () => {
    await start({ pipes: [new ParseFilePipe()] });
    expect((await application.post(field('a', 'b'))).status).toBe(400);
    await expectNothing();
  });

  it.each(['beforeHandler', 'afterHandler'] as const)(
    'leaves nothing when an outer interceptor has answered while the handler runs (%s)',
    async (commit) => {
      const timeouts: NestInterceptor = {
        intercept: (_context, next) =>
          next.handle().pipe(
            timeout(20),
            catchError((error: unknown) =>
              throwError(() => (error instanceof RxTimeoutError ? new RequestTimeoutException() : error)),
            ),
          ),
      };
      await start({ options: { commit }, interceptors: [timeouts], handler: () => NEVER });
      expect((await application.post(file(small))).status).toBe(408);
      await storage.untilNothing();
      await expectNothing();
    },
  );

  describe.each(['beforeHandler', 'afterHandler'] as const)('when an outer interceptor leaves early (%s)', (commit) => {
    const intercepting = (how: (answer: Observable<unknown>) => Observable<unknown>): NestInterceptor => ({
      intercept: (_context, next) => how(next.handle()),
    });

    it.each<[string, (answer: Observable<unknown>) => Observable<unknown>]>([
      ['with first()', (answer) => answer.pipe(first())],
      ['with a promise of the first value', (answer) => from(firstValueFrom(answer))],
    ])('%s, the file of an answer that is sent stays', async (_, how) => {
      await start({ options: { commit }, interceptors: [intercepting(how)] });
      expect((await application.post(file(small))).status).toBe(201);
      await application.close();
      expect(await storage.keys()).toHaveLength(1);
    });

    it('by failing at the value, nothing is left', async () => {
      const fail = (): never => {
        throw new ConflictException();
      };
      await start({ options: { commit }, interceptors: [intercepting((answer) => answer.pipe(map(fail)))] });
      expect((await application.post(file(small))).status).toBe(409);
      await storage.untilNothing();
      await expectNothing();
    });
  });

  it('leaves nothing when an outer interceptor has answered while the file is arriving', async () => {
    const timeouts: NestInterceptor = {
      intercept: (_context, next) =>
        next.handle().pipe(timeout({ each: 50, with: () => throwError(() => new RequestTimeoutException()) })),
    };
    let handled = 0;
    await start({ interceptors: [timeouts], handler: () => ++handled });
    const client = await application.connect();
    client.head({ 'Content-Length': '1000000' });
    client.socket.write(Buffer.concat([partHead({ name: 'file', filename: 'a' }), large]));
    const answer = await client.answer();
    expect(answer.status).toBe(408);
    expect(answer.headers.get('connection')).toBe('close');
    await storage.untilNothing();
    await expectNothing();
    expect(handled).toBe(0);
    // what is still sent is read, and not answered by a reset
    expect(await client.send(large)).toBe(true);
    client.socket.end();
    await client.closed();
  });

  it('removes what was committed when the client of an Observable handler goes away', async () => {
    let running: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      running = resolve;
    });
    await start({
      handler: () => {
        running();
        return NEVER;
      },
    });
    const client = await application.connect();
    client.post(form(file(small)));
    await started;
    expect(await storage.keys()).toHaveLength(1);
    client.destroy();
    await storage.untilNothing();
    await expectNothing();
  });

  it.each([
    ['is full', new QuotaExceededError('disk /srv/secret is full'), 507, 'STORAGE_FULL'],
    ['refuses', new PermissionError('EACCES /srv/secret'), 503, 'STORAGE_UNAVAILABLE'],
    ['cannot be reached', new ConnectionError('ECONNREFUSED'), 503, 'STORAGE_UNAVAILABLE'],
    ['is closed', new StorageClosedError(), 503, 'STORAGE_UNAVAILABLE'],
    ['takes too long', new TimeoutError('late'), 504, 'STORAGE_TIMEOUT'],
    ['loses bytes', new IntegrityError('short'), 500, 'STORAGE_FAILURE'],
    ['cannot', new UnsupportedOperationError('no'), 500, 'STORAGE_FAILURE'],
    ['fails otherwise', new StorageError('what'), 500, 'STORAGE_FAILURE'],
    ['throws something else', new TypeError('/srv/secret'), 500, 'STORAGE_FAILURE'],
  ])('answers %s as the fault of the server', async (_what, error, status, code) => {
    for (const step of ['stage', 'commit'] as const) {
      for (const data of [small, large]) {
        storage = new WatchedStorage();
        storage.failAt(step, error);
        await start();
        const answer = await application.post(file(data));
        expect(answer).toMatchObject({ status, body: { statusCode: status, code } });
        expect(JSON.stringify(answer.body)).not.toContain('secret');
        await expectNothing();
        await application.close();
      }
    }
  });

  it('leaves the errors of a storage that the handler meets to the handler', async () => {
    const error = new QuotaExceededError('of the handler');
    const seen: unknown[] = [];
    const observer: NestInterceptor = {
      intercept: (_context, next) =>
        next.handle().pipe(
          catchError((thrown: unknown) => {
            seen.push(thrown);
            return throwError(() => thrown);
          }),
        ),
    };
    await start({
      interceptors: [observer],
      handler: () => {
        throw error;
      },
    });
    await application.post(file(small));
    expect(seen).toEqual([error]);
    expect(seen[0]).toBe(error);
    await expectNothing();
  });

  it('answers 500 where a backend has an error code of its own', async () => {
    const own = Object.assign(new StorageError('no /srv/secret'), { code: 'QUARANTINED' });
    storage.failAt('commit', own);
    await start();
    expect(await application.post(file(small))).toMatchObject({ status: 500, body: { code: 'STORAGE_FAILURE' } });
    await expectNothing();
  });

  it('answers with the first error when the removal fails too', async () => {
    storage.failAt('delete', new ConnectionError('gone'));
    await start({ handler: failing['throws at once'] });
    expect((await application.post(file(small))).status).toBe(409);
  });

  it('fails when the commit after the handler fails, and says so', async () => {
    storage.failAt('commit', new QuotaExceededError('full'));
    let upload: StoredUpload | undefined;
    await start({
      options: { commit: 'afterHandler' },
      handler: (given) => {
        upload = given;
        return 'fine';
      },
    });
    expect((await application.post(file(small))).status).toBe(507);
    expect(upload).toMatchObject({ size: 100, fieldname: 'file' });
    expect(upload).not.toHaveProperty('etag');
    await expectNothing();
  });

  it.each([small, large])('answers 409 where the key exists, and leaves the file that is there', async (data) => {
    await storage.put('taken', 'old');
    await start({ options: { key: () => 'taken' } });
    expect(await application.post(file(data))).toMatchObject({ status: 409, body: { code: 'FILE_EXISTS' } });
    expect((await storage.getBytes('taken')).toString()).toBe('old');
    expect(storage.staged).toBe(0);
  });

  it('answers 400 for a key that cannot be, and with what the key function throws', async () => {
    await start({ options: { key: (incoming) => incoming.originalname } });
    const unnamed = { name: 'file', type: 'application/octet-stream', data: 'x' };
    expect(await application.post(unnamed)).toMatchObject({ status: 400, body: { code: 'INVALID_KEY' } });
    await application.close();
    await start({
      options: {
        key: () => {
          throw new ConflictException('not you');
        },
      },
    });
    expect(await application.post(file(large))).toMatchObject({ status: 409, body: { message: 'not you' } });
    await expectNothing();
  });
});
