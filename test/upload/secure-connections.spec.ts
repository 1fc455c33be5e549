import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Settings } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, Put, UploadedFile, UseInterceptors } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  archive,
  ConnectionError,
  MemoryStorage,
  type Storage,
  storedFile,
  StorageBodyInterceptor,
  StorageFileInterceptor,
  StorageModule,
  type StoredFileStream,
  type StoredUpload,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { RequestDrain } from '../../lib/shutdown/request-drain.js';
import { field, file, form, FORM_TYPE } from './form.js';
import {
  CERTIFICATE,
  connectBy,
  textOf,
  type Exchange,
  type SecureClient,
  type Transport,
} from './secure-transports.js';
import { until } from '../until.js';
import { platform } from './upload-application.js';

const LIMIT = 8_000_000;
const options = { key: ({ originalname }: { originalname: string }) => originalname, limits: { fileSize: LIMIT } };

/** Every stream that the storage has opened. */
class WatchedStorage extends FaultyStorage {
  readonly opened: StoredFileStream[] = [];

  override async get(...args: Parameters<FaultyStorage['get']>): Promise<StoredFileStream> {
    const stream = await super.get(...args);
    this.opened.push(stream);
    return stream;
  }
}

const serve = { path: 'signed', baseUrl: 'https://localhost', secrets: ['0123456789abcdef0123456789abcdef'] };

let storage: WatchedStorage;
let linked: MemoryStorage;
let app: INestApplication | undefined;
const clients: SecureClient[] = [];

@Controller()
class FilesController {
  @Post('upload')
  @UseInterceptors(StorageFileInterceptor('file', { ...options, storage: 'files' }))
  upload(@UploadedFile() { key, size }: StoredUpload, @Body() body: object): object {
    return { key, size, ...body };
  }

  @Put('raw/:key')
  @UseInterceptors(StorageBodyInterceptor({ ...options, storage: 'files', key: () => 'raw' }))
  raw(@UploadedFile() { size }: StoredUpload): object {
    return { size };
  }

  @Get('archive')
  archive(): unknown {
    return archive(storage, '');
  }

  @Get('files/:key')
  download(@Param('key') key: string): unknown {
    return storedFile(storage, key);
  }
}

async function start(transport: Transport, timeout = 30_000): Promise<SecureClient> {
  storage = new WatchedStorage(new MemoryStorage());
  linked = new MemoryStorage();
  @Module({
    imports: [StorageModule.forRoot({ storages: { files: storage, linked }, shutdown: { timeout }, serve })],
    controllers: [FilesController],
  })
  class AppModule {}
  const quiet = { logger: false, abortOnError: false } as const;
  if (transport === 'HTTP/2') {
    app = await NestFactory.create(AppModule, new FastifyAdapter({ http2: true, https: CERTIFICATE }), quiet);
  } else if (platform === 'fastify') {
    app = await NestFactory.create(AppModule, new FastifyAdapter({ https: CERTIFICATE }), quiet);
  } else {
    app = await NestFactory.create(AppModule, { ...quiet, httpsOptions: CERTIFICATE });
  }
  await app.listen(0, '127.0.0.1');
  return connect(transport);
}

async function connect(transport: Transport, settings?: Settings): Promise<SecureClient> {
  const server = app?.getHttpServer() as Server;
  const client = await connectBy(transport, (server.address() as AddressInfo).port, settings);
  clients.push(client);
  return client;
}

async function keysOf(of: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of of.list()) keys.push(key);
  return keys;
}

const drain = (): RequestDrain => {
  if (app === undefined) throw new Error('No application has been started.');
  return app.get(RequestDrain, { strict: false });
};

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await app?.close();
  app = undefined;
});

const TRANSPORTS: readonly Transport[] = platform === 'fastify' ? ['HTTPS', 'HTTP/2'] : ['HTTPS'];

describe.each(TRANSPORTS)('Over %s', (transport) => {
  it('a form and a raw body are stored', async () => {
    const client = await start(transport);
    const bytes = Buffer.alloc(5_000_000, 'abc');
    const upload = client.begin('POST', '/upload', { 'content-type': FORM_TYPE });
    upload.body.end(form(field('title', 'A'), file(bytes, 'file', 'large')));
    const answer = await upload.answer();
    expect([answer.status, JSON.parse(await textOf(answer.body))]).toEqual([
      201,
      { key: 'large', size: 5_000_000, title: 'A' },
    ]);
    expect((await storage.getBytes('large')).equals(bytes)).toBe(true);
    const raw = client.begin('PUT', '/raw/x', { 'content-type': 'image/png' });
    raw.body.write('one, ');
    raw.body.end('two');
    expect((await raw.answer()).status).toBe(200);
    expect(String(await storage.getBytes('raw'))).toBe('one, two');
  });

  it('a signed URL is uploaded to and downloaded from', async () => {
    const client = await start(transport);
    const signed = await linked.uploadUrl('notes/é.json', {
      expiresIn: 60,
      contentType: 'application/json',
    });
    if (signed.method !== 'PUT') throw new Error('It is not a form.');
    const { url, method, headers } = signed;
    const pathOf = (of: string): string => of.slice('https://localhost'.length);
    const upload = client.begin(method, pathOf(url), headers);
    upload.body.end('{"a":1}');
    const uploaded = await upload.answer();
    expect([uploaded.status, await textOf(uploaded.body)]).toEqual([200, expect.stringContaining('notes/é.json')]);
    const download = client.begin('GET', pathOf(await linked.url('notes/é.json', { expiresIn: 60 })));
    download.body.end();
    const answer = await download.answer();
    expect([answer.status, answer.headers['content-type'], await textOf(answer.body)]).toEqual([
      200,
      'application/json',
      '{"a":1}',
    ]);
    const forged = client.begin('GET', pathOf(url));
    forged.body.end();
    expect((await forged.answer()).status).toBe(403);
  });

  it('an upload that is too large is answered 413 while the client still sends, and a new request is served', async () => {
    const client = await start(transport);
    const upload = client.begin('POST', '/upload', { 'content-type': FORM_TYPE });
    const body = form(file(Buffer.alloc(LIMIT + 1), 'file', 'too-large'));
    upload.body.write(body.subarray(0, body.length - 10));
    const { status, body: refused } = await upload.answer();
    expect([status, await textOf(refused)]).toEqual([413, expect.stringContaining('LIMIT_FILE_SIZE')]);
    upload.tear();
    expect(await storage.exists('too-large')).toBe(false);
    const again = (await connect(transport)).begin('POST', '/upload', { 'content-type': FORM_TYPE });
    again.body.end(form(file('x', 'file', 'small')));
    expect((await again.answer()).status).toBe(201);
  });

  it.each([
    ['a form', 'POST', '/upload', FORM_TYPE, '5000000'],
    ['a form of unknown length', 'POST', '/upload', FORM_TYPE, undefined],
    ['a raw body', 'PUT', '/raw/x', 'image/png', '5000000'],
    ['a raw body of unknown length', 'PUT', '/raw/x', 'image/png', undefined],
  ])('a client that goes away in the middle of %s leaves nothing', async (_, method, path, type, length) => {
    (await start(transport)).destroy();
    const headers = { 'content-type': type, ...(length === undefined ? {} : { 'content-length': length }) };
    // the connection goes; with HTTP/2 the stream alone may go too, with a reason or without one
    const tears: ((exchange: Exchange, client: SecureClient) => void)[] = [
      (exchange) => {
        exchange.tear();
      },
      (exchange) => {
        exchange.tear(new Error('gone'));
      },
      (_exchange, client) => {
        client.destroy();
      },
    ];
    for (const tear of tears) {
      const client = await connect(transport);
      const upload = client.begin(method, path, headers);
      upload.body.write(form(file('x'.repeat(1000), 'file', 'torn')).subarray(0, 600));
      await until('it is under way', () => drain().underWay > 0);
      tear(upload, client);
      await until('nothing is under way', () => drain().underWay === 0);
    }
    expect(await keysOf(storage)).toEqual([]);
  });

  it.each<[string, Settings]>([
    ['has', {}],
    ['does not take', { initialWindowSize: 0 }],
  ])('a client that never ends its body is not listened to for ever once it %s its answer', async (_, settings) => {
    await start(transport);
    const client = await connect(transport, settings);
    const upload = client.begin('POST', '/upload', { 'content-type': FORM_TYPE });
    upload.body.write(form(file(Buffer.alloc(LIMIT + 1), 'file', 'endless')).subarray(0, LIMIT + 150));
    expect((await upload.answer()).status).toBe(413);
    const goOn = setInterval(() => upload.body.write('more'), 20);
    try {
      await until('the server has ended it', () => upload.isOver);
    } finally {
      clearInterval(goOn);
    }
  });

  it.each(['/files/broken', '/archive'])('a download that breaks off does not look whole: %s', async (path) => {
    const client = await start(transport);
    await storage.put('broken', Buffer.alloc(20_000_000, 'x'));
    storage.failReading('get', { afterBytes: 10_000_000, error: new ConnectionError('gone') });
    const download = client.begin('GET', path);
    download.body.end();
    const { status, body } = await download.answer();
    expect(status).toBe(200);
    await expect(textOf(body)).rejects.toThrow();
  });

  it('a download has its conditions and ranges, and ends with its client', async () => {
    const client = await start(transport);
    const stored = await storage.put('big', Buffer.alloc(20_000_000, 'x'));
    const ask = (method: string, headers: Record<string, string>) => {
      const exchange = client.begin(method, '/files/big', headers);
      exchange.body.end();
      return exchange;
    };
    const range = await ask('GET', { range: 'bytes=2-4' }).answer();
    expect([range.status, range.headers['content-range'], await textOf(range.body)]).toEqual([
      206,
      'bytes 2-4/20000000',
      'xxx',
    ]);
    const fresh = await ask('GET', { 'if-none-match': `"${stored.etag}"` }).answer();
    expect([fresh.status, (await textOf(fresh.body)).length]).toEqual([304, 0]);
    const head = await ask('HEAD', {}).answer();
    expect([head.status, head.headers['content-length'], await textOf(head.body)]).toEqual([200, '20000000', '']);
    const torn = ask('GET', {});
    await torn.answer();
    torn.tear();
    await until('the storage has been let go', () => storage.opened.every((stream) => stream.closed));
    await until('nothing is under way', () => drain().underWay === 0);
  });

  it('an application that closes lets an upload finish, and idle connections go', async () => {
    const client = await start(transport);
    const idle = await connect(transport);
    const body = form(file('0123456789', 'file', 'slow'));
    const upload = client.begin('POST', '/upload', { 'content-type': FORM_TYPE });
    upload.body.write(body.subarray(0, body.length - 5));
    await until('it is under way', () => drain().underWay > 0);
    const closing = app?.close();
    await until('it closes', () => drain().isClosing);
    upload.body.end(body.subarray(body.length - 5));
    const { status, body: answer } = await upload.answer();
    await textOf(answer);
    expect(status).toBe(201);
    await closing;
    await Promise.all([client.closed, idle.closed]);
  });

  it('an application that closes cuts a download that stalls, which then does not look whole', async () => {
    const client = await start(transport, 200);
    await storage.put('big', Buffer.alloc(20_000_000, 'x'));
    const download = client.begin('GET', '/files/big');
    download.body.end();
    const { body } = await download.answer();
    await app?.close();
    await expect(textOf(body)).rejects.toThrow();
  });

  it('an application that closes breaks an upload off that stalls: 503, and nothing is left', async () => {
    const client = await start(transport, 200);
    const upload = client.begin('POST', '/upload', { 'content-type': FORM_TYPE });
    upload.body.write(form(file('0123456789', 'file', 'slow')).subarray(0, 150));
    await until('it is under way', () => drain().underWay > 0);
    const closing = app?.close();
    const { status, headers, body } = await upload.answer();
    expect([status, headers['retry-after'], await textOf(body)]).toEqual([
      503,
      '5',
      expect.stringContaining('SHUTTING_DOWN'),
    ]);
    await closing;
    await client.closed;
  });
});
