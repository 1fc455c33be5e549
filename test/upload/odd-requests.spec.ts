import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Transform, type Duplex } from 'node:stream';
import { Controller, Module, Post, UseInterceptors, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  StorageBodyInterceptor,
  StorageFileInterceptor,
  StorageModule,
  type Storage,
  type UploadOptions,
} from 'nestjs-storages';
import { field, file, form, FORM_TYPE, partHead } from './form.js';
import { ModuleApplication } from './module-application.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

let application: RoutesApplication;
let storage: WatchedStorage;

async function start(options: UploadOptions = {}): Promise<void> {
  storage = new WatchedStorage();
  application = await RoutesApplication.start({
    routes: { any: AnyStorageFilesInterceptor(options), raw: StorageBodyInterceptor(options) },
    storages: { main: storage },
    handler: ({ file: one, files }) => ({ one, files }),
  });
}

afterEach(async () => {
  await application.close();
});

const BODY = form(field('a', 'b'), file('hello'), file(Buffer.alloc(200_000)));

describe('A form is taken', () => {
  it.each(['GET', 'DELETE', 'PATCH', 'OPTIONS'])('by %s', async (method) => {
    await start();
    expect(await application.send('any', BODY, { 'Content-Type': FORM_TYPE }, method)).toMatchObject({ status: 200 });
    expect(await storage.keys()).toHaveLength(2);
  });

  it('by HEAD, without a body in the answer', async () => {
    await start();
    const client = await application.connect();
    client.request('HEAD', '/any', { 'Content-Type': FORM_TYPE, 'Content-Length': String(BODY.length) });
    client.socket.write(BODY);
    while (!(client.ended || (await storage.keys()).length === 2))
      await new Promise((resolve) => setImmediate(resolve));
    expect(await storage.keys()).toHaveLength(2);
    client.destroy();
  });

  it.each(['', 'Connection: keep-alive\r\n'])('over HTTP/1.0 (%j)', async (connection) => {
    await start();
    const client = await application.connect();
    client.socket.write(
      `POST /any HTTP/1.0\r\nHost: a\r\n${connection}Content-Type: ${FORM_TYPE}\r\nContent-Length: ${BODY.length}\r\n\r\n`,
    );
    client.socket.write(BODY);
    expect((await client.answer()).status).toBe(200);
    if (connection === '') await client.closed();
    client.destroy();
    expect(await storage.keys()).toHaveLength(2);
  });

  it('with trailers', async () => {
    await start();
    const client = await application.connect();
    client.request('POST', '/any', { 'Content-Type': FORM_TYPE, 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' });
    client.socket.write(`${BODY.length.toString(16)}\r\n`);
    client.socket.write(BODY);
    client.socket.write('\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n');
    expect((await client.answer()).status).toBe(200);
    client.post(BODY, {}, '/any');
    expect((await client.answer()).status).toBe(200);
    client.destroy();
  });

  it.each(['websocket', 'h2c'])('that asks for an upgrade to %s', async (protocol) => {
    await start();
    const client = await application.connect();
    client.post(BODY, { Connection: 'Upgrade', Upgrade: protocol }, '/any');
    expect((await client.answer()).status).toBe(200);
    client.destroy();
    expect(await storage.keys()).toHaveLength(2);
  });

  it('that is expected and refused, and the connection goes on or says that it ends', async () => {
    await start({ allowedTypes: 'image/*' });
    const client = await application.connect();
    client.head({ Expect: '100-continue', 'Content-Length': String(BODY.length) }, '/any');
    expect((await client.answer()).status).toBe(100);
    client.socket.write(BODY);
    const { status, headers } = await client.answer();
    expect(status).toBe(415);
    if (headers.get('connection') === 'close') {
      await client.closed();
    } else {
      client.post(form(field('a', 'b')), {}, '/any');
      expect((await client.answer()).status).toBe(200);
    }
    await storage.untilNothing();
    client.destroy();
  });

  it('ten times in one write, and refused nine times of it', async () => {
    await start({ filter: (incoming) => incoming.originalname === 'good' || Promise.reject(new Error('no')) });
    const client = await application.connect();
    const requests = Array.from({ length: 10 }, (_, index) => {
      const body = form(file('x', 'file', index === 9 ? 'good' : 'bad'));
      const head = `POST /any HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`;
      return Buffer.concat([Buffer.from(head), body]);
    });
    client.socket.write(Buffer.concat(requests));
    const statuses: number[] = [];
    for (const _request of requests) statuses.push((await client.answer()).status);
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 500), 200]);
    client.destroy();
    expect(await storage.keys()).toHaveLength(1);
  });
});

describe('A transform that gives', () => {
  class Giving extends Transform {
    constructor(
      private readonly give: unknown,
      options: object = {},
    ) {
      super(options);
    }

    override _transform(_chunk: Buffer, _encoding: string, done: (error: null, data?: unknown) => void): void {
      done(null, this.give);
    }
  }
  const made = async (transform: () => Duplex): Promise<unknown> => {
    await start({ transform });
    const { status, body } = await application.post('any', file('x'), file('y'));
    if (status === 200) return (body as { files: { size: number }[] }).files.map(({ size }) => size);
    await storage.untilNothing();
    return status;
  };

  it('nothing, stores nothing', async () => {
    expect(await made(() => new Giving(undefined))).toEqual([0, 0]);
  });

  it('more, stores that', async () => {
    expect(await made(() => new Giving(Buffer.alloc(1_000_000)))).toEqual([1_000_000, 1_000_000]);
  });

  it('text, stores its bytes', async () => {
    expect(await made(() => new Giving('é').setEncoding('utf8'))).toEqual([2, 2]);
  });

  it('objects, is a 500', async () => {
    expect(await made(() => new Giving({ a: 1 }, { objectMode: true }))).toBe(500);
  });

  it('its end at once, stores that', async () => {
    const ending = (): Duplex => {
      const stream = new Giving(undefined);
      stream.push(null);
      return stream;
    };
    expect(await made(ending)).toEqual([0, 0]);
  });

  it('up in the middle, is a 500', async () => {
    const closing = (): Duplex =>
      new Transform({
        transform() {
          this.destroy();
        },
      });
    expect(await made(closing)).toBe(500);
  });
});

describe('A storage that is no BaseStorage and fails with', () => {
  it.each([[undefined], [null], ['a word'], [0], [{ code: 'FILE_EXISTS' }]])('%j is a 500', async (failure) => {
    const inner = new WatchedStorage();
    for (const step of ['stage', 'commit'] as const) {
      const failing = new Proxy(inner, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (name !== 'stage') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          return async (...args: Parameters<Storage['stage']>) => {
            // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is tested
            if (step === 'stage') throw failure;
            const staged = await target.stage(...args);
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is tested
            return { ...staged, key: staged.key, abort: () => staged.abort(), commit: () => Promise.reject(failure) };
          };
        },
      });
      application = await RoutesApplication.start({
        routes: { any: AnyStorageFilesInterceptor() },
        storages: { main: failing },
      });
      expect(await application.post('any', file('x'), file(Buffer.alloc(200_000)))).toMatchObject({ status: 500 });
      await inner.untilNothing();
      if (step === 'stage') await application.close();
    }
  });
});

describe('Two upload interceptors on one route', () => {
  it.each([
    ['a form', StorageFileInterceptor('file'), StorageFileInterceptor('file')],
    ['a form and a body', StorageFileInterceptor('file'), StorageBodyInterceptor()],
    ['a body and a form', StorageBodyInterceptor(), StorageFileInterceptor('file')],
  ])('are a 500, and nothing is left: %s', async (_what, outer, inner) => {
    storage = new WatchedStorage();
    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(outer, inner)
      upload(): string {
        return 'never';
      }
    }
    @Module({ imports: [StorageModule.forRoot({ storages: { main: storage } })], controllers: [UploadController] })
    class AppModule {}
    const running = await ModuleApplication.start(AppModule);
    expect((await running.post('/upload', file('x'))).status).toBe(500);
    await storage.untilNothing();
    await running.close();
  });
});

// Express has none
describe('Over HTTP/2', () => {
  async function http2(options: UploadOptions): Promise<{ app: INestApplication; session: ClientHttp2Session }> {
    storage = new WatchedStorage();
    @Controller()
    class UploadController {
      @Post('upload')
      @UseInterceptors(AnyStorageFilesInterceptor(options))
      upload(): string {
        return 'stored';
      }
    }
    @Module({ imports: [StorageModule.forRoot({ storages: { main: storage } })], controllers: [UploadController] })
    class AppModule {}
    const app = await NestFactory.create(AppModule, new FastifyAdapter({ http2: true } as never), { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    return { app, session: connect(`http://127.0.0.1:${port}`) };
  }
  const post = (session: ClientHttp2Session): ClientHttp2Stream =>
    session.request({ ':method': 'POST', ':path': '/upload', 'content-type': FORM_TYPE });
  const statusOf = async (stream: ClientHttp2Stream): Promise<unknown> => {
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    return headers[':status'];
  };

  it('a form is taken, one is refused while it is sent, and one is cut off', async () => {
    const { app, session } = await http2({ limits: { fileSize: 1_000_000 } });
    const good = post(session);
    good.end(BODY);
    expect(await statusOf(good)).toBe(201);
    for (const key of await storage.keys()) await storage.delete(key);

    const large = post(session);
    large.on('error', () => undefined);
    large.write(partHead({ name: 'file', filename: 'a' }));
    large.end(Buffer.alloc(5_000_000));
    expect(await statusOf(large)).toBe(413);
    await storage.untilNothing();

    const cut = post(session);
    cut.on('error', () => undefined);
    cut.write(partHead({ name: 'file', filename: 'a' }));
    cut.write(Buffer.alloc(500_000));
    await storage.untilStaging();
    cut.close(constants.NGHTTP2_CANCEL);
    await storage.untilNothing();

    const again = post(session);
    again.end(BODY);
    expect(await statusOf(again)).toBe(201);
    session.destroy();
    await app.close();
  });
});

describe('A function of the application that', () => {
  const never = new Promise<never>(() => undefined);

  it.each<[what: string, options: UploadOptions, status: number]>([
    ['throws no error from onProgress', { onProgress: () => thrown('word') }, 500],
    ['throws nothing from onProgress', { onProgress: () => thrown(undefined) }, 500],
    ['rejects from onProgress with nothing', { onProgress: () => rejected(undefined) as never }, 500],
    ['never settles in onProgress', { onProgress: () => never as never }, 200],
    ['throws nothing from filter', { filter: () => thrown(undefined) }, 500],
    ['rejects from key with null', { key: () => rejected(null) }, 500],
    ['throws nothing from scan', { scan: () => thrown(undefined) }, 500],
    ['rejects from storage with nothing', { storage: () => rejected(undefined) }, 500],
    [
      'gives a thenable of its own',
      { filter: () => ({ then: (give: (is: boolean) => void) => (give(true), undefined) }) as never },
      200,
    ],
    ['gives a thenable that throws', { scan: () => ({ then: () => thrown('word') }) as never }, 500],
    [
      'changes the file it is asked about',
      {
        filter: (incoming) => {
          Object.assign(incoming, { fieldname: '__proto__', originalname: '../../../x', extension: '/../../../y' });
          return true;
        },
      },
      200,
    ],
  ])('%s, is no harm to others', async (_what, options, status) => {
    await start(options);
    expect((await application.post('any', file('x'), file(Buffer.alloc(200_000)))).status).toBe(status);
    if (status !== 200) await storage.untilNothing();
    for (const key of await storage.keys()) expect(key).not.toMatch(/\.\.|^\//);
  });
});

function thrown(what: unknown): never {
  throw what;
}

function rejected(what: unknown): Promise<never> {
  return new Promise((_resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is tested
    reject(what);
  });
}
