import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Post, Res, UploadedFile, UseInterceptors } from '@nestjs/common';
import {
  MemoryStorage,
  OnStorageEvent,
  storedFile,
  StorageBodyInterceptor,
  StorageFileInterceptor,
  StorageModule,
  type ResolvedDeleteOptions,
  type ShutdownOptions,
  type StoredUpload,
} from 'nestjs-storages';
import { RequestDrain } from '../../lib/shutdown/request-drain.js';
import { file, form, partHead } from './form.js';
import { ModuleApplication } from './module-application.js';
import type { RawClient } from './raw-client.js';

/** What happens, in its order. */
const order: string[] = [];
const clients: RawClient[] = [];
/** What is in the storage when it is closed. */
const kept: string[] = [];
let release: () => void = () => undefined;
let application: ModuleApplication | undefined;
let storage: RecordingStorage;

class RecordingStorage extends MemoryStorage {
  /** What is taken back is slower than the handler that it was for. */
  protected override async _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    release();
    await turn();
    await super._delete(key, options);
    order.push('removed');
  }

  protected override async _close(): Promise<void> {
    order.push('storage closed');
    for await (const { key } of this._list('', {})) kept.push(key);
    await super._close();
  }
}

const options = { key: ({ originalname }: { originalname: string }) => originalname };

@Controller()
class FilesController {
  @Post('upload')
  @UseInterceptors(StorageFileInterceptor('file', options))
  async upload(@UploadedFile() { key }: StoredUpload): Promise<string> {
    if (key === 'held') {
      order.push('handler waits');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    order.push(`handled ${key}`);
    return key;
  }

  /** Answers, and goes on. */
  @Post('answered')
  @UseInterceptors(StorageFileInterceptor('file', options))
  async answered(@UploadedFile() { key }: StoredUpload, @Res() carrier: object): Promise<void> {
    const response = 'raw' in carrier ? (carrier.raw as ServerResponse) : (carrier as ServerResponse);
    response.writeHead(201).end(key);
    await new Promise(() => undefined);
  }

  @Post('raw')
  @UseInterceptors(StorageBodyInterceptor(options))
  raw(): string {
    return 'stored';
  }

  @Get('big')
  download(): unknown {
    return storedFile(storage, 'big');
  }
}

@Module({})
class ServiceModule {
  onModuleDestroy(): void {
    order.push('service ended');
  }
}

async function start(
  shutdown: ShutdownOptions,
  listeners: readonly (new () => object)[] = [],
): Promise<ModuleApplication> {
  storage = new RecordingStorage();
  @Module({
    imports: [StorageModule.forRoot({ storages: { files: storage }, shutdown }), ServiceModule],
    controllers: [FilesController],
    providers: [...listeners],
  })
  class AppModule {}
  application = await ModuleApplication.start(AppModule);
  return application;
}

function started(): ModuleApplication {
  if (application === undefined) throw new Error('No application has been started.');
  return application;
}

async function open(): Promise<RawClient> {
  const client = await started().connect();
  clients.push(client);
  return client;
}

const BODY = form(file('0123456789', 'file', 'slow'));

/** A client that has sent a part of its upload, when the server has read it. */
async function uploading(): Promise<RawClient> {
  const client = await open();
  client.head({ 'Content-Length': String(BODY.length) });
  await client.send(BODY.subarray(0, partHead(file('', 'file', 'slow')).length + 4));
  await untilUnderWay();
  return client;
}

const drainOf = ({ app }: ModuleApplication): RequestDrain => app.get(RequestDrain, { strict: false });

/** Resolves when the server has as many transfers as there are clients. */
async function untilUnderWay(): Promise<void> {
  while (drainOf(started()).underWay < clients.length) await turn();
}

/** Begins to close, and resolves when new uploads are refused. The closing is under `done`. */
async function closing(running: ModuleApplication): Promise<{ readonly done: Promise<void> }> {
  const done = running.close();
  while (!drainOf(running).isClosing) await turn();
  return { done };
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  release();
  await application?.close();
  application = undefined;
  order.length = 0;
  kept.length = 0;
});

describe('When an application begins to close', () => {
  it('an upload in flight finishes, then other modules end, then the server, then the storages', async () => {
    const running = await start({ timeout: 30_000 });
    const client = await uploading();
    const { done } = await closing(running);
    running.server.once('close', () => order.push('server closed'));
    await client.send(BODY.subarray(partHead(file('', 'file', 'slow')).length + 4));
    const { status, headers } = await client.answer();
    expect([status, headers.get('connection')]).toEqual([201, 'close']);
    await done;
    expect(order).toEqual(['handled slow', 'service ended', 'server closed', 'storage closed']);
    expect(kept).toEqual(['slow']);
  });

  it.each([
    ['a form', '/upload', 'multipart/form-data; boundary=X-TEST-BOUNDARY', BODY],
    ['a raw body', '/raw', 'image/png', Buffer.from('png')],
  ])(
    'a new upload of %s is answered 503, with Retry-After and the end of its connection',
    async (_, path, type, body) => {
      const running = await start({ timeout: 30_000, retryAfter: 7 });
      const busy = await uploading();
      const { done } = await closing(running);
      const client = await open();
      client.request('POST', path, { 'Content-Type': type, 'Content-Length': String(body.length) });
      client.socket.write(body);
      const { status, headers, body: answer } = await client.answer();
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('7');
      expect(headers.get('connection')).toBe('close');
      expect(answer).toEqual({
        statusCode: 503,
        code: 'SHUTTING_DOWN',
        error: 'Service Unavailable',
        message: 'The server is shutting down and takes no uploads: try again in 7 seconds.',
      });
      await client.closed();
      busy.destroy();
      await done;
      expect(kept).toEqual([]);
    },
  );

  it('an upload that stalls is answered 503 when the time is over, and leaves nothing', async () => {
    const running = await start({ timeout: 200 });
    const client = await uploading();
    const { done } = await closing(running);
    const { status, headers, body } = await client.answer();
    expect([status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '5', 'close']);
    expect(body).toMatchObject({ code: 'SHUTTING_DOWN' });
    await client.closed();
    await done;
    expect(order).toEqual(['service ended', 'storage closed']);
    expect(kept).toEqual([]);
  });

  it('an upload whose handler takes longer is taken back and answered 503, whatever the handler says later', async () => {
    const running = await start({ timeout: 200 });
    const client = await open();
    client.post(form(file('x', 'file', 'held')));
    while (!order.includes('handler waits')) await turn();
    const { done } = await closing(running);
    const { status } = await client.answer();
    expect(status).toBe(503);
    await done;
    expect(order).toEqual(['handler waits', 'handled held', 'removed', 'service ended', 'storage closed']);
    expect(kept).toEqual([]);
  });

  it('an upload that has its answer stays, also where its handler is still at work when the time is over', async () => {
    const running = await start({ timeout: 100 });
    const client = await open();
    client.post(form(file('x', 'file', 'answered')), {}, '/answered');
    expect((await client.answer()).status).toBe(201);
    await running.close();
    expect(kept).toEqual(['answered']);
    expect(order).not.toContain('removed');
  });

  it('a download that begins when the time is over has a moment, and is cut', async () => {
    const running = await start({ timeout: 0 });
    await drainOf(running).drain();
    const answer = await downloading(running);
    await running.close();
    await expect(receivedOf(answer)).rejects.toThrow();
  });

  it('a download in flight finishes', async () => {
    const running = await start({ timeout: 30_000 });
    const answer = await downloading(running);
    const { done } = await closing(running);
    expect(await receivedOf(answer)).toBe(BIG);
    await done;
  });

  it('a download that stalls is cut when the time is over, and does not look whole', async () => {
    const running = await start({ timeout: 200 });
    const answer = await downloading(running);
    const { done } = await closing(running);
    await done;
    await expect(receivedOf(answer)).rejects.toThrow();
  });

  it('neither an idle connection nor one that has never sent anything keeps it waiting', async () => {
    const running = await start({ timeout: 30_000 });
    const silent = connect(running.port, '127.0.0.1');
    await once(silent, 'connect');
    const idle = await open();
    idle.post(form(file('x', 'file', 'idle')));
    expect((await idle.answer()).headers.get('connection')).not.toBe('close');
    await running.close();
    await idle.closed();
    silent.destroy();
    expect(order).toEqual(['handled idle', 'service ended', 'storage closed']);
  });

  it('half a head does not keep it waiting', async () => {
    const running = await start({ timeout: 30_000 });
    const half = connect(running.port, '127.0.0.1');
    half.on('error', () => undefined);
    half.write('GET /upload HTTP/1.1\r\nHo');
    const ended = once(half, 'close');
    await running.post('/upload', file('x', 'file', 'slow'));
    await running.close();
    await ended;
  });

  it('a client that goes away while its request waits for its turn on the connection does not either', async () => {
    const running = await start({ timeout: 30_000 });
    const client = await open();
    client.post(form(file('x', 'file', 'held')));
    while (!order.includes('handler waits')) await turn();
    client.post(form(file('x', 'file', 'second')));
    while (!order.includes('handled second')) await turn();
    client.destroy();
    await running.untilNoConnection();
    release();
    await running.close();
    expect(drainOf(running).underWay).toBe(0);
    expect(kept).toContain('second');
  });

  it('a listener that is at work is waited for, and finds its storage open', async () => {
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    @Injectable()
    class Listener {
      @OnStorageEvent('files', 'committed')
      async note(): Promise<void> {
        await held;
        order.push(`found ${String(await storage.exists('slow'))}`);
      }
    }
    const running = await start({ timeout: 30_000 }, [Listener]);
    await running.post('/upload', file('x', 'file', 'slow'));
    const { done } = await closing(running);
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(order).toEqual(['handled slow']);
    goOn();
    await done;
    expect(order).toEqual(['handled slow', 'found true', 'service ended', 'storage closed']);
  });

  it('a listener that never ends is not waited for when the time is over', async () => {
    @Injectable()
    class Listener {
      @OnStorageEvent('files', 'committed')
      never(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    const running = await start({ timeout: 100 }, [Listener]);
    await running.post('/upload', file('x', 'file', 'slow'));
    await running.close();
    expect(order).toEqual(['handled slow', 'service ended', 'storage closed']);
  });
});

/** More than the buffers of a connection take. */
const BIG = 20_000_000;

/** A download whose head has come, and of which no more is read. */
async function downloading({ port }: ModuleApplication): Promise<IncomingMessage> {
  await storage.put('big', Buffer.alloc(BIG));
  const asked = get({ port, host: '127.0.0.1', path: '/big', agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

async function receivedOf(answer: IncomingMessage): Promise<number> {
  let received = 0;
  for await (const chunk of answer) received += (chunk as Buffer).length;
  return received;
}

describe('The settings of the end', () => {
  it.each([
    [{ timeout: -1 }, 'shutdown.timeout must be a whole number of milliseconds, from 0'],
    [{ timeout: '10s' }, 'shutdown.timeout must be a whole number of milliseconds'],
    [{ retryAfter: 1.5 }, 'shutdown.retryAfter must be a whole number of seconds'],
    [{ limit: 1 }, 'shutdown.limit is not one of its settings (timeout, retryAfter)'],
    ['10s', 'shutdown must be an object'],
  ])('%j fails the start', async (shutdown, message) => {
    await expect(start(shutdown as ShutdownOptions)).rejects.toThrow(message);
  });

  it('come from the factory of forRootAsync too, and once', async () => {
    const made = { storages: { files: new MemoryStorage() }, shutdown: { retryAfter: 9 } };
    const root = StorageModule.forRootAsync({ names: ['files'], useFactory: () => made });
    @Module({ imports: [root] })
    class AppModule {}
    application = await ModuleApplication.start(AppModule);
    expect(drainOf(application).retryAfter).toBe(9);
    @Module({
      imports: [root, StorageModule.forRoot({ storages: { other: new MemoryStorage() }, shutdown: { timeout: 1 } })],
    })
    class Twice {}
    await expect(ModuleApplication.start(Twice)).rejects.toThrow("'shutdown' is given in two registrations");
  });
});
