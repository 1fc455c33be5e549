import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ForbiddenException,
  Injectable,
  Module,
  SetMetadata,
  UseInterceptors,
  VersioningType,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { map, type Observable } from 'rxjs';
import { MemoryStorage, StorageModule, type ServeStorageOptions, type Storage } from 'nestjs-storages';
import { createApplication, platform } from '../upload/upload-application.js';

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Reply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends a path as it is: fetch would resolve `..` and encode what it likes. */
function send(port: number, path: string, method = 'GET', headers = ''): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      const [head = '', ...body] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n');
      resolve({ status: Number(head.split(' ', 2)[1]), head: head.toLowerCase(), body: body.join('\r\n\r\n') });
    });
  });
}

async function serve(
  storage: Storage,
  options: ServeStorageOptions | readonly ServeStorageOptions[],
  before: (application: INestApplication) => void = () => undefined,
  imports: readonly DynamicModule[] = [],
): Promise<(path: string, method?: string, headers?: string) => Promise<Reply>> {
  const served = [options].flat().map((each) => StorageModule.serveStorage(each));
  @Module({ imports: [StorageModule.forRoot({ storages: { files: storage } }), ...served, ...imports] })
  class ServedModule {}
  app = await createApplication(ServedModule);
  before(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return (path, method, headers) => send(port, path, method, headers);
}

const KEYS = [
  'a.txt',
  'deep/er/photo.png',
  'with space & + ~.txt',
  'percent %2F 100%.txt',
  'question?hash#.txt',
  'naïve "résumé" 😀.txt',
  'e\u0301 \u00e9',
  'semi;colon=1,2:3@4',
  "quote'(paren)![bracket]{brace}|^`<>*$",
  '...',
  '..hidden/.file',
  '__proto__/constructor',
  `long/${'ü'.repeat(400)}`,
];

describe('A served storage', () => {
  it('gives every file under its path by the key that is spelled there, with any character', async () => {
    const storage = new MemoryStorage();
    for (const key of KEYS) await storage.put(key, `of ${key}`, { contentType: 'text/plain' });
    const get = await serve(storage, { path: 'files' });
    for (const key of KEYS) {
      const whole = encodeURIComponent(key);
      for (const path of [whole, whole.replaceAll('%2F', '/')]) {
        expect([key, await get(`/files/${path}`)]).toMatchObject([key, { status: 200, body: `of ${key}` }]);
      }
    }
    expect((await get('/files/a.txt?download=1')).body).toBe('of a.txt');
    const part = await get('/files/a.txt', 'GET', 'Range: bytes=0-1\r\n');
    expect([part.status, part.body]).toEqual([206, 'of']);
    const head = await get('/files/a.txt', 'HEAD');
    expect([head.status, head.body, head.head.includes('content-length: 8')]).toEqual([200, '', true]);
  });

  it('is 404 for what is not there, for what is no key, and for every way round the prefix', async () => {
    const storage = new MemoryStorage();
    await storage.put('secret.txt', 'secret');
    await storage.put('public/a.txt', 'public');
    await storage.put('public-not/a.txt', 'secret');
    const get = await serve(storage, { path: 'files', prefix: 'public/' });
    expect((await get('/files/a.txt')).body).toBe('public');
    for (const path of [
      'none',
      'public/a.txt',
      '../secret.txt',
      '%2e%2e/secret.txt',
      '..%2Fsecret.txt',
      '..%5Csecret.txt',
      '..\\secret.txt',
      '%252e%252e/secret.txt',
      'x/../a.txt',
      'x/%2e%2e/a.txt',
      './a.txt',
      '/a.txt',
      '%2Fa.txt',
      '//secret.txt',
      'a.txt/',
      'a.txt/.',
      '%00',
      'a.txt%00',
      'a%0Ab',
      '-not/a.txt',
      '',
      'a'.repeat(2000),
    ]) {
      const { status, body } = await get(`/files/${path}`);
      expect([path, status]).toEqual([path, 404]);
      expect(body).not.toMatch(/secret\b(?!\.txt)|\bpublic\b(?!\/a\.txt)/);
    }
    // a path that is no text at all
    for (const path of ['%', '%zz', '%ff', '%c0%ae%c0%ae/secret.txt']) {
      expect([path, [400, 404].includes((await get(`/files/${path}`)).status)]).toEqual([path, true]);
    }
    for (const path of ['/files', '/secret.txt', '/filesa.txt']) expect((await get(path)).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await get('/files/a.txt', method)).status).toBe(404);
    expect((await get('/files/none', 'HEAD')).status).toBe(404);
  });

  it('has an index file where it is asked for one, and no listing', async () => {
    const storage = new MemoryStorage();
    await storage.put('index.html', 'root');
    await storage.put('docs/index.html', 'docs');
    const get = await serve(storage, [
      { path: 'plain' },
      { path: 'site', index: 'index.html', inlineTypes: ['text/html'], cacheControl: 'public, max-age=60' },
    ]);
    for (const path of ['/plain/', '/plain', '/plain/docs/', '/site/docs', '/site/none/', '/site/docs//']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    for (const [path, body] of [
      ['/site', 'root'],
      ['/site/', 'root'],
      ['/site/docs/', 'docs'],
      ['/site/docs/index.html', 'docs'],
    ]) {
      expect([path, await get(path ?? '')]).toMatchObject([path, { status: 200, body }]);
    }
    const { head } = await get('/site/');
    expect(head).toContain('cache-control: public, max-age=60');
    expect(head).toContain('content-disposition: inline; filename=index.html');
    expect(head).toContain('content-security-policy: sandbox');
  });

  it('is protected by guards, which Nest makes, and which see the decorators of the controller', async () => {
    @Injectable()
    class Members {
      has(name: string | undefined): boolean {
        return name === 'ada';
      }
    }
    @Module({ providers: [Members], exports: [Members] })
    class MembersModule {}
    const Role = (role: string): ClassDecorator => SetMetadata('role', role);
    @Injectable()
    class RoleGuard implements CanActivate {
      constructor(
        private readonly members: Members,
        private readonly reflector: Reflector,
      ) {}
      canActivate(context: ExecutionContext): boolean {
        const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        const role = this.reflector.getAllAndOverride<string>('role', [context.getHandler(), context.getClass()]);
        if (role !== 'member') throw new ForbiddenException();
        return this.members.has(headers['x-member']);
      }
    }
    class Counted implements NestInterceptor {
      static calls = 0;
      intercept(_context: ExecutionContext, next: { handle(): Observable<unknown> }): Observable<unknown> {
        Counted.calls++;
        return next.handle().pipe(map((value) => value));
      }
    }
    const storage = new MemoryStorage();
    await storage.put('a.txt', 'bytes');
    const get = await serve(storage, {
      path: 'files',
      guards: [RoleGuard],
      imports: [MembersModule],
      decorators: [Role('member'), UseInterceptors(new Counted())],
    });
    expect((await get('/files/a.txt')).status).toBe(403);
    expect((await get('/files/none')).status).toBe(403);
    expect((await get('/files/a.txt', 'HEAD')).status).toBe(403);
    expect(Counted.calls).toBe(0);
    expect((await get('/files/a.txt', 'GET', 'X-Member: ada\r\n')).body).toBe('bytes');
    expect(Counted.calls).toBe(1);
  });

  it('stands behind the global prefix, in every version, beside another one', async () => {
    const storage = new MemoryStorage();
    await storage.put('a/x.txt', 'a');
    await storage.put('b/x.txt', 'b');
    const get = await serve(
      storage,
      [
        { path: 'one', storage: 'files', prefix: 'a/' },
        { path: '/:path/two', prefix: 'b' },
      ],
      (application) => {
        application.setGlobalPrefix('api');
        application.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    );
    expect((await get('/api/one/x.txt')).body).toBe('a');
    expect((await get('/api/any/two/x.txt')).body).toBe('b');
    for (const path of ['/one/x.txt', '/api/v1/one/x.txt']) expect((await get(path)).status).toBe(404);
  });

  it('is there in a test module, which knows its platform late', async () => {
    const storage = new MemoryStorage();
    await storage.put('a.txt', 'bytes');
    @Module({
      imports: [StorageModule.forRoot({ storages: { files: storage } }), StorageModule.serveStorage({ path: 'files' })],
    })
    class ServedModule {}
    const module = await Test.createTestingModule({ imports: [ServedModule] }).compile();
    app = platform === 'fastify' ? module.createNestApplication(new FastifyAdapter()) : module.createNestApplication();
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    expect((await send(port, '/files/a.txt')).body).toBe('bytes');
  });

  it('fails the start for a storage that is not there', async () => {
    await expect(serve(new MemoryStorage(), { path: 'files', storage: 'never-registered' })).rejects.toThrow(
      'never-registered',
    );
  });

  it.each([
    ['path', {}],
    ['path', { path: 'files/*' }],
    ['prefix', { path: 'files', prefix: 1 }],
    ['index', { path: 'files', index: '' }],
    ['guards', { path: 'files', guards: 'x' }],
    ['decorators', { path: 'files', decorators: {} }],
    ['disposition', { path: 'files', disposition: 'shown' }],
    ['guard', { path: 'files', guard: [] }],
  ])('refuses at once a wrong %s', (word, options) => {
    expect(() => StorageModule.serveStorage(options as unknown as ServeStorageOptions)).toThrow(word);
  });
});
