import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConflictException, Injectable, Module, type ExecutionContext } from '@nestjs/common';
import express from 'express';
import {
  MemoryStorage,
  UPLOAD_DEFAULTS,
  type PendingUpload,
  type SignedUploadHook,
  type Storage,
  type UploadUrlOptions,
} from 'nestjs-storages';
import { platform } from '../upload/upload-application.js';
import { PUBLIC, SigningApplication, type SignedAnswer } from './signing-application.js';

const keysOf = async (storage: Storage): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of storage.list()) keys.push(key);
  return keys;
};

/** Refuses what it is told to, and remembers what it was told of. */
@Injectable()
class Albums implements SignedUploadHook {
  readonly told: PendingUpload[] = [];
  full = false;

  onUploaded(file: PendingUpload, context: ExecutionContext): Promise<void> {
    this.told.push({ ...file });
    expect(context.getType()).toBe('http');
    if (this.full) throw new ConflictException('The album is full.');
    return Promise.resolve();
  }
}

@Module({ providers: [Albums], exports: [Albums] })
class AlbumsModule {}

describe('An upload URL', () => {
  let app: SigningApplication;
  let files: Storage;
  let albums: Albums;

  beforeAll(async () => {
    app = await SigningApplication.start({
      storages: { files: new MemoryStorage() },
      serve: { path: '/public/files/', onUploaded: Albums },
      imports: [AlbumsModule],
      configure: (nest) => {
        // whatever an application may have switched on
        if (platform === 'fastify') return;
        nest.use(express.raw({ type: '*/*', limit: '1kb' }));
        nest.use(express.text({ type: 'text/*' }));
      },
    });
    files = app.storage('files');
    albums = app.app.get(Albums);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const put = async (
    key: string,
    body: Buffer | string | Readable,
    options: Partial<UploadUrlOptions> = {},
    headers: Record<string, string> = {},
  ): Promise<SignedAnswer> => {
    const upload = await files.uploadUrl(key, { expiresIn: 60, ...options });
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    return app.send(upload.url, { method: 'PUT', headers: { ...upload.headers, ...headers }, body });
  };

  it('is a PUT of the type that it names, and answers with what was stored', async () => {
    const before = Date.now();
    const upload = await files.uploadUrl('a.png', { expiresIn: '15m' });
    const after = Date.now();
    expect(upload).toEqual({
      method: 'PUT',
      url: expect.stringMatching(/^https:\/\/files\.example\.com\/public\/files\/files\/a\.png\?/) as unknown,
      headers: { 'content-type': 'image/png' },
      expiresAt: expect.any(Date) as unknown,
    });
    expect(upload.expiresAt.getTime()).toBeGreaterThanOrEqual(before + 900_000);
    // whole seconds
    expect(upload.expiresAt.getTime()).toBeLessThanOrEqual(after + 901_000);
    const { status, headers, json } = await app.send(upload.url, {
      method: 'PUT',
      headers: { 'content-type': 'image/png' },
      body: 'no picture',
    });
    const file = await files.info('a.png');
    expect(status).toBe(200);
    expect(headers.etag).toBe(`"${file.etag}"`);
    expect(json).toEqual({
      key: 'a.png',
      size: 10,
      contentType: 'image/png',
      etag: file.etag,
      lastModified: file.lastModified.toISOString(),
    });
    expect(file.contentType).toBe('image/png');
    expect((await files.getBytes('a.png')).toString()).toBe('no picture');
  });

  it.each([
    ['application/json', '{"not": json'],
    ['application/json', JSON.stringify({ json: 'x'.repeat(200_000) })],
    ['application/x-www-form-urlencoded', 'a=1&b=%'],
    ['text/plain', 'text'],
    ['text/html', '<script>'],
    ['multipart/form-data; boundary=x', '--x\r\n'],
    ['application/octet-stream', 'bytes'],
    ['application/vnd.example+json', '{'],
  ])('takes a body of the type %s as it is, whatever parses it elsewhere', async (contentType, body) => {
    const answer = await put('typed', body, { contentType });
    expect([answer.status, answer.json['contentType']]).toEqual([200, contentType]);
    expect((await files.getBytes('typed')).toString()).toBe(body);
  });

  it('takes a body without a length, and an empty one', async () => {
    expect((await put('chunked', Readable.from(['in ', 'pieces']))).status).toBe(200);
    expect((await files.getBytes('chunked')).toString()).toBe('in pieces');
    expect((await put('empty', '', {}, { 'content-length': '0' })).status).toBe(200);
    expect((await files.info('empty')).size).toBe(0);
  });

  it('replaces what is there, and leaves it alone when the upload fails', async () => {
    await files.put('b.txt', 'old');
    expect((await put('b.txt', 'longer than that', { maxSize: 3 })).status).toBe(413);
    expect((await files.getBytes('b.txt')).toString()).toBe('old');
    expect((await put('b.txt', 'new', { maxSize: 3 })).status).toBe(200);
    expect((await files.getBytes('b.txt')).toString()).toBe('new');
  });

  it('refuses another type than it names', async () => {
    const answer = await put('c.png', 'x', {}, { 'content-type': 'text/html' });
    expect(answer).toMatchObject({ status: 415, json: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    expect(answer.json['message']).toContain('image/png');
    expect(await files.exists('c.png')).toBe(false);
  });

  it.each([
    [{ size: 5 }, '12345', 200],
    [{ size: 5 }, '1234', 400],
    [{ size: 5 }, '123456', 413],
    [{ size: 0 }, '', 200],
    [{ maxSize: 5 }, '12345', 200],
    [{ maxSize: 5 }, '', 200],
    [{ maxSize: 5 }, '123456', 413],
  ])('is bound to its length, said or not: %j', async (options, body, status) => {
    await files.delete('sized', { force: true });
    expect((await put('sized', body, options, { 'content-length': String(body.length) })).status).toBe(status);
    expect(await files.exists('sized')).toBe(status === 200);
    await files.delete('sized', { force: true });
    expect((await put('sized', Readable.from([body]), options)).status).toBe(status);
    expect(await files.exists('sized')).toBe(status === 200);
  });

  it.each(['sha256', 'md5'] as const)('is bound to its %s', async (algorithm) => {
    const checksum = { [algorithm]: createHash(algorithm).update('good').digest('hex') };
    expect((await put('sum', 'evil', { checksum })).status).toBe(422);
    expect(await files.exists('sum')).toBe(false);
    expect((await put('sum', 'good', { checksum })).status).toBe(200);
    await files.delete('sum');
  });

  it('that only creates works once, also when 20 race', async () => {
    const upload = await files.uploadUrl('created', { expiresIn: 60, ifNoneMatch: '*' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, turn) =>
        app.send(upload.url, {
          method: 'PUT',
          headers: { 'content-type': 'application/octet-stream' },
          body: `${turn}`,
        }),
      ),
    );
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(won[0]?.json['etag']).toBe((await files.info('created')).etag);
  });

  it('of a form takes its one file, under the type that was signed', async () => {
    const upload = await files.uploadUrl('form.txt', { expiresIn: 60, method: 'POST', maxSize: 5 });
    if (upload.method !== 'POST') throw new Error('not a POST');
    const form = (bytes: string, field = 'file'): FormData => {
      const data = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) data.append(name, value);
      data.append('comment', 'that nobody reads');
      data.append(field, new Blob([bytes], { type: 'text/html' }), 'évil.html');
      return data;
    };
    const post = async (body: FormData): Promise<Response> => app.fetch(upload.url, { method: 'POST', body });
    expect((await post(form('123456'))).status).toBe(413);
    expect((await post(form('12345', 'other'))).status).toBe(400);
    expect((await post(new FormData())).status).toBe(400);
    expect(await files.exists('form.txt')).toBe(false);
    expect((await post(form('12345'))).status).toBe(201);
    expect(await files.info('form.txt')).toMatchObject({ size: 5, contentType: 'text/plain' });
  });

  it('tells the application, which may refuse and so undo', async () => {
    albums.told.length = 0;
    await files.put('album/1.txt', 'old');
    albums.full = true;
    try {
      for (const options of [{}, { ifNoneMatch: '*' }] as const) {
        const key = 'ifNoneMatch' in options ? 'album/2.txt' : 'album/1.txt';
        const answer = await put(key, 'new', options);
        expect([answer.status, answer.json['message']]).toEqual([409, 'The album is full.']);
      }
    } finally {
      albums.full = false;
    }
    expect((await files.getBytes('album/1.txt')).toString()).toBe('old');
    expect(await files.exists('album/2.txt')).toBe(false);
    expect(albums.told).toMatchObject([
      { key: 'album/1.txt', size: 3, storage: 'files', contentType: 'text/plain' },
      { key: 'album/2.txt', etag: expect.any(String) as unknown },
    ]);
    expect((await put('album/2.txt', 'new')).status).toBe(200);
  });

  it('leaves nothing of a client that goes away in the middle', async () => {
    await files.put('gone.bin', 'old');
    const { url } = await files.uploadUrl('gone.bin', { expiresIn: 60, maxSize: 10_000_000 });
    const socket = connect(app.port, '127.0.0.1');
    const path = url.slice(PUBLIC.length);
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 5000000\r\n\r\n`,
    );
    const staged = new Promise<void>((resolve) => {
      const { stage } = files;
      files.stage = (...args) => {
        resolve();
        files.stage = stage;
        return stage.apply(files, args);
      };
    });
    socket.write(Buffer.alloc(2_000_000));
    await staged;
    socket.destroy();
    await once(socket, 'close');
    // the URL is good until it expires: another try succeeds
    const again = await app.send(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: 'new',
    });
    expect(again.status).toBe(200);
    expect((await files.getBytes('gone.bin')).toString()).toBe('new');
  });

  it('that is not valid says 403 before a byte is taken, and the client can read it', async () => {
    const { url } = await files.uploadUrl('denied', { expiresIn: 60 });
    const answer = await app.send(url.slice(0, -1), {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-length': 3_000_000 },
      body: Buffer.alloc(3_000_000),
    });
    expect(answer).toMatchObject({ status: 403, json: { code: 'INVALID_SIGNED_URL' } });
    expect(await keysOf(files)).not.toContain('denied');
  });
});

describe('Upload defaults of the application', () => {
  it('hold for uploads by URL too', async () => {
    const defaults = { allowedTypes: 'image/*', scan: () => Promise.resolve(true) };
    await using app = await SigningApplication.start({
      storages: { files: new MemoryStorage() },
      upload: defaults,
    });
    expect(app.app.get(UPLOAD_DEFAULTS)).toMatchObject({ allowedTypes: 'image/*' });
    const { url } = await app.storage('files').uploadUrl('a.png', { expiresIn: 60 });
    const send = (body: Buffer): Promise<SignedAnswer> =>
      app.send(url, { method: 'PUT', headers: { 'content-type': 'image/png' }, body });
    expect((await send(Buffer.from('<html>'))).status).toBe(415);
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
    expect((await send(png)).status).toBe(200);
  });
});
