import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Body, Controller, ForbiddenException, Module, Post, type CanActivate } from '@nestjs/common';
import { MemoryStorage, type PendingUpload, type SignedUploadHook } from 'nestjs-storages';
import { PUBLIC, SigningApplication } from './signing-application.js';

const start = (setup: Partial<Parameters<typeof SigningApplication.start>[0]> = {}): Promise<SigningApplication> =>
  SigningApplication.start({ storages: { files: new MemoryStorage() }, ...setup });

describe('Beside signed URLs', () => {
  it('a route of the application below the same path has its body, whatever its query is called', async () => {
    @Controller('storage')
    class Hooks {
      @Post('hooks/paid')
      paid(@Body() body: unknown): unknown {
        return { body };
      }
    }
    await using app = await start({ controllers: [Hooks] });
    const answer = await app.send(`${PUBLIC}/storage/hooks/paid?signature=of-another-kind`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"paid":true}',
    });
    expect(answer.json).toEqual({ body: { paid: true } });
  });

  it('a global guard that refuses leaves the connection to the request that comes next', async () => {
    class Closed implements CanActivate {
      canActivate(): boolean {
        throw new ForbiddenException('closed');
      }
    }
    await using app = await start({ configure: (nest) => nest.useGlobalGuards(new Closed()) });
    const { url } = await app.storage('files').uploadUrl('a.json', { expiresIn: 60 });
    const path = url.slice(PUBLIC.length);
    const socket = connect(app.port, '127.0.0.1');
    const body = 'x'.repeat(200_000);
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    socket.write('GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', expect.stringMatching(/40[34]/)]);
  });

  it.each(['PUT', 'POST'] as const)(
    'a filter of the upload defaults that leaves the one file out is an answer, and no upload (%s)',
    async (method) => {
      const told: PendingUpload[] = [];
      class Hook implements SignedUploadHook {
        onUploaded(file: PendingUpload): void {
          told.push(file);
        }
      }
      @Module({ providers: [Hook], exports: [Hook] })
      class HookModule {}
      await using app = await start({
        upload: { filter: () => false },
        serve: { onUploaded: Hook },
        imports: [HookModule],
      });
      const upload = await app.storage('files').uploadUrl('a.txt', { expiresIn: 60, method });
      const form = new FormData();
      form.append('file', new Blob(['bytes']), 'a.txt');
      const { status } = await app.fetch(upload.url, {
        method,
        ...(upload.method === 'PUT' ? { headers: upload.headers, body: 'bytes' } : { body: form }),
      });
      expect([status, told]).toEqual([400, []]);
    },
  );

  it('keys of the greatest length and storages of long names have URLs', async () => {
    const name = `ü/${'n'.repeat(200)}`;
    await using app = await start({ storages: { [name]: new MemoryStorage() } });
    const key = 'ü'.repeat(512);
    const upload = await app
      .storage(name)
      .uploadUrl(key, { expiresIn: 60, ifNoneMatch: '*', checksum: { md5: '900150983cd24fb0d6963f7d28e17f72' } });
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    expect((await app.send(upload.url, { method: 'PUT', headers: upload.headers, body: 'abc' })).status).toBe(201);
    expect((await app.send(await app.storage(name).url(key))).body.toString()).toBe('abc');
    const proto = await app.storage(name).uploadUrl('__proto__', { expiresIn: 60 });
    if (proto.method !== 'PUT') throw new Error('not a PUT');
    expect((await app.send(proto.url, { method: 'PUT', headers: proto.headers, body: 'abc' })).status).toBe(200);
  });
});
