import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { StorageBodyInterceptor, StorageFileInterceptor, type UploadOptions } from 'nestjs-storages';
import { file, form, FORM_TYPE } from './form.js';
import type { Answer } from './raw-client.js';
import { RoutesApplication, type Routes } from './routes-application.js';
import { platform } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk', 'base64');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>';

/** As the message of a refusal tells it. */
const WITHOUT_PARSERS: Pick<Routes, 'nest' | 'prepare'> = {
  nest: { bodyParser: false },
  prepare: (app) => {
    if (platform !== 'fastify') return;
    const fastify = app.getHttpAdapter().getInstance() as { removeContentTypeParser(types: string[]): void };
    fastify.removeContentTypeParser(['application/json', 'text/plain']);
  },
};

describe('StorageBodyInterceptor', () => {
  let application: RoutesApplication;
  let storage: WatchedStorage;

  afterEach(async () => {
    await application.close();
  });

  async function start(
    options: UploadOptions = {},
    parsers: 'with parsers' | 'without parsers' = 'with parsers',
    handler: (given: { file: unknown }) => unknown = (given) => given,
  ): Promise<void> {
    storage = new WatchedStorage();
    application = await RoutesApplication.start({
      routes: { upload: StorageBodyInterceptor(options), form: StorageFileInterceptor('file') },
      storages: { main: storage },
      handler,
      ...(parsers === 'without parsers' ? WITHOUT_PARSERS : undefined),
    });
  }

  async function put(body: Buffer | string, headers: Record<string, string> = {}): Promise<Answer> {
    return application.send('upload', body, headers, 'PUT');
  }

  /** What was stored of the last request. */
  async function stored(): Promise<Buffer> {
    return storage.getBytes((application.given.at(-1)?.file as { key: string }).key);
  }

  describe('stores a body byte for byte', () => {
    const large = randomBytes(2_000_003);

    it.each<[what: string, type: string | undefined, body: Buffer, contentType: string, mimetype: string]>([
      ['an image', 'image/png', PNG, 'image/png', 'image/png'],
      ['an image that claims to be something else', 'text/plain', PNG, 'image/png', 'text/plain'],
      ['bytes', 'application/octet-stream', large, 'application/octet-stream', 'application/octet-stream'],
      ['a type with parameters', 'Text/CSV; charset=utf-8', Buffer.from('a;b'), 'text/csv', 'text/csv'],
      ['a type that nobody knows', 'application/x-mine', large, 'application/octet-stream', 'application/x-mine'],
      ['SVG, which is no image', 'image/svg+xml', Buffer.from(SVG), 'application/octet-stream', 'image/svg+xml'],
      ['a form, as it is', FORM_TYPE, form(file('x')), 'application/octet-stream', 'multipart/form-data'],
      ['no type at all', undefined, PNG, 'image/png', 'application/octet-stream'],
      ['nothing', 'application/octet-stream', Buffer.alloc(0), 'application/octet-stream', 'application/octet-stream'],
    ])('of %s', async (_what, type, body, contentType, mimetype) => {
      await start({}, 'without parsers');
      const { status, body: answer } = await put(body, type === undefined ? {} : { 'Content-Type': type });
      expect([status, answer]).toMatchObject([
        200,
        { file: { fieldname: 'body', originalname: '', size: body.length, contentType, mimetype, encoding: '7bit' } },
      ]);
      expect((await stored()).equals(body)).toBe(true);
    });

    it.each(['image/png', undefined])('in chunks, without a length, of the type %s', async (type) => {
      await start();
      const client = await application.connect();
      const headers = type === undefined ? undefined : { 'Content-Type': type };
      client.request('PUT', '/upload', { 'Transfer-Encoding': 'chunked', ...headers });
      for (const chunk of [PNG, large, Buffer.from('end')]) {
        await client.send(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
      }
      client.socket.write('0\r\n\r\n');
      expect((await client.answer()).status).toBe(200);
      expect((await stored()).equals(Buffer.concat([PNG, large, Buffer.from('end')]))).toBe(true);
      client.destroy();
    });
  });

  it('gives no file where there is no body, unless one is required', async () => {
    for (const required of [false, true]) {
      await start({ required });
      const client = await application.connect();
      client.request('POST', '/upload');
      const { status, body } = await client.answer();
      expect([status, body]).toMatchObject(required ? [400, { code: 'MISSING_FILE' }] : [200, {}]);
      client.destroy();
      expect(await storage.keys()).toEqual([]);
      if (!required) await application.close();
    }
  });

  it('gives none where a filter leaves it out, unless it is required', async () => {
    await start({ filter: () => false });
    expect(await put(PNG)).toMatchObject({ status: 200, body: {} });
    await application.close();
    await start({ filter: () => false, required: true });
    expect(await put(PNG)).toMatchObject({ status: 400, body: { code: 'MISSING_FILE' } });
    expect(await storage.keys()).toEqual([]);
  });

  describe('has limits', () => {
    it.each<[limits: UploadOptions['limits'], met: number, over: number, expected: object]>([
      [{ fileSize: 100_000 }, 100_000, 100_001, { statusCode: 413, code: 'LIMIT_FILE_SIZE' }],
      [{ totalSize: 100_000 }, 100_000, 100_001, { statusCode: 413, code: 'LIMIT_TOTAL_SIZE' }],
      [{ fileSize: 0 }, 0, 1, { statusCode: 413, code: 'LIMIT_FILE_SIZE' }],
      [{ minFileSize: 5 }, 5, 4, { statusCode: 400, code: 'FILE_TOO_SMALL' }],
    ])('of %j, met and missed by one', async (limits, met, over, expected) => {
      await start({ limits });
      expect((await put(Buffer.alloc(over))).body).toMatchObject(expected);
      await storage.untilNothing();
      const client = await application.connect();
      client.request('PUT', '/upload', { 'Transfer-Encoding': 'chunked' });
      await client.send(over === 0 ? '' : `${over.toString(16)}\r\n${'x'.repeat(over)}\r\n0\r\n\r\n`);
      expect((await client.answer()).body).toMatchObject(expected);
      client.destroy();
      await storage.untilNothing();
      expect((await put(Buffer.alloc(met))).status).toBe(200);
    });

    it('which a client that waits hears of before it sends', async () => {
      await start({ limits: { fileSize: 1000 } });
      const client = await application.connect();
      client.request('PUT', '/upload', { 'Content-Length': '1001' });
      const { status, headers } = await client.answer();
      expect([status, headers.get('connection')]).toEqual([413, 'close']);
      await client.closed();
      expect(storage.sourcesEnded).toBe(0);
      client.destroy();
    });

    it('which end a body without a length in the middle', async () => {
      await start({ limits: { fileSize: 200_000 } });
      const client = await application.connect();
      client.request('PUT', '/upload', { 'Transfer-Encoding': 'chunked' });
      await client.send(`${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n`);
      expect(await client.answer()).toMatchObject({ status: 413, body: { code: 'LIMIT_FILE_SIZE' } });
      client.destroy();
      await storage.untilNothing();
    });
  });

  describe('and a body that the application parses itself', () => {
    const text = ['text/plain', 'text'] as const;
    const bodies = [
      ['application/json', '{"a":1}'],
      ['application/x-www-form-urlencoded', 'a=1'],
      // Fastify has a parser for it
      ...(platform === 'fastify' ? [text] : []),
    ] as const;

    it.each(bodies)('of %s is answered 415 with the setting', async (type, body) => {
      await start();
      const answer = await put(body, { 'Content-Type': type });
      expect(answer).toMatchObject({ status: 415, body: { code: 'BODY_ALREADY_PARSED' } });
      expect((answer.body as { message: string }).message).toMatch(
        platform === 'fastify' ? /bodyParser: false.*removeContentTypeParser/ : /bodyParser: false \}\)\.$/,
      );
      expect(await storage.keys()).toEqual([]);
    });

    it.each([...bodies, text])('of %s is taken with that setting', async (type, body) => {
      await start({}, 'without parsers');
      expect(await put(body, { 'Content-Type': type })).toMatchObject({
        status: 200,
        body: { file: { mimetype: type } },
      });
      expect((await stored()).toString()).toBe(body);
      await put(body, { 'Content-Type': `${type}; charset=utf-8` });
      expect((await stored()).toString()).toBe(body);
    });
  });

  it.each(['gzip', 'br', 'GZIP, identity', 'x'])('refuses the content encoding %s', async (encoding) => {
    await start();
    const answer = await put(gzipSync(PNG), { 'Content-Encoding': encoding, 'Content-Type': 'image/png' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_CONTENT_ENCODING' } });
    expect((await put(PNG, { 'Content-Encoding': 'identity' })).status).toBe(200);
  });

  it.each([
    ['attachment; filename="a b.txt"', 'a b.txt'],
    ['attachment; filename=a.txt', 'a.txt'],
    ["attachment; filename=a; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt", 'naïve €.txt'],
    ["attachment; filename*=ISO-8859-1''na%EFve.txt", 'naïve.txt'],
    ["attachment; filename=plain; filename*=UTF-8''%ff", 'plain'],
    [Buffer.from('inline; filename="Grüße.txt"').toString('latin1'), 'Grüße.txt'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ["attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", 'passwd'],
    ["attachment; filename*=UTF-8''a%00%0d%0ab", 'ab'],
    ['attachment; filename="C:\\\\temp\\\\a.txt"', 'a.txt'],
    ['attachment; filename=".."', ''],
    ['attachment; filename="a"; filename="b"', ''],
    ['attachment', ''],
    ['filename="a"', ''],
    ['nonsense; ;;; =', ''],
  ])('finds in the Content-Disposition %j the name %j', async (disposition, name) => {
    await start();
    const client = await application.connect();
    client.socket.setDefaultEncoding('latin1');
    client.request('PUT', '/upload', { 'Content-Length': '1', 'Content-Disposition': disposition });
    client.socket.write('x');
    expect(await client.answer()).toMatchObject({ status: 200, body: { file: { originalname: name } } });
    client.destroy();
    expect((await storage.keys()).every((key) => /^[0-9a-f-]{36}$/.test(key))).toBe(true);
  });

  it('leaves nothing of a body that breaks off', async () => {
    await start({ key: () => 'a' });
    const client = await application.connect();
    client.request('PUT', '/upload', { 'Content-Length': '1000000' });
    await client.send(Buffer.alloc(500_000));
    await storage.untilStaging();
    client.destroy();
    await storage.untilNothing();
    expect(application.given).toEqual([]);
  });

  it('replaces a file only when the handler has succeeded', async () => {
    let fails = true;
    const seen: string[] = [];
    await start({ key: () => 'a', overwrite: true }, 'with parsers', async () => {
      seen.push((await storage.getBytes('a')).toString());
      if (fails) throw new Error('the handler fails');
      return {};
    });
    await storage.put('a', 'old');
    expect((await put('new')).status).toBe(500);
    expect((await storage.getBytes('a')).toString()).toBe('old');
    fails = false;
    expect((await put('new')).status).toBe(200);
    expect((await storage.getBytes('a')).toString()).toBe('new');
    expect(seen).toEqual(['old', 'old']);
    expect(storage.staged).toBe(0);
  });

  it('takes types as an upload of a form does', async () => {
    await start({ allowedTypes: 'image/*' });
    expect((await put(PNG, { 'Content-Type': 'text/csv' })).status).toBe(200);
    expect((await put(SVG, { 'Content-Type': 'image/svg+xml' })).body).toMatchObject({ code: 'UNSUPPORTED_FILE_TYPE' });
  });

  it('stands beside forms in one application', async () => {
    await start();
    expect((await application.post('form', file('x'))).status).toBe(200);
    expect((await put(PNG)).status).toBe(200);
    expect((await application.post('form', file('y'))).status).toBe(200);
  });
});
