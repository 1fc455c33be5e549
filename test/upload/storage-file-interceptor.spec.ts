import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { of } from 'rxjs';
import {
  defineCapabilities,
  MemoryStorage,
  StorageFileInterceptor,
  type IncomingFile,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import { BOUNDARY, field, file, form } from './form.js';
import { UploadApplication, type UploadApplicationOptions } from './upload-application.js';

describe('StorageFileInterceptor', () => {
  let application: UploadApplication | undefined;

  async function start(setup: Partial<UploadApplicationOptions> = {}): Promise<UploadApplication> {
    application = await UploadApplication.start({ storage: new MemoryStorage(), ...setup });
    return application;
  }

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  it('stores a file of several megabytes byte for byte, and tells the handler of it', async () => {
    const storage = new MemoryStorage();
    const app = await start({ storage });
    const data = randomBytes(5 * 1024 * 1024 + 7);
    const answer = await app.post(field('title', 'A title'), file(data, 'file', 'photo.bin'), field('after', 'too'));
    expect(answer.status).toBe(201);
    const { file: upload, body } = answer.body as { file: Record<string, unknown>; body: unknown };
    expect(body).toEqual({ title: 'A title', after: 'too' });
    expect(upload).toMatchObject({
      fieldname: 'file',
      originalname: 'photo.bin',
      encoding: '7bit',
      mimetype: 'application/octet-stream',
      contentType: 'application/octet-stream',
      size: data.length,
      storage: 'memory',
      metadata: {},
    });
    const key = String(upload['key']);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    const info = await storage.info(key);
    expect(upload).toMatchObject({ etag: info.etag, lastModified: info.lastModified.toISOString() });
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(await storage.getBytes(key))).toBe(hash(data));
  });

  describe('a file', () => {
    it.each([
      ['of no bytes', 0],
      ['of one byte', 1],
      ['that ends with its head', 64 * 1024],
      ['of one byte more than its head', 64 * 1024 + 1],
      ['of many chunks', 1_000_003],
    ])('%s arrives as it was sent', async (_what, size) => {
      const storage = new MemoryStorage();
      const app = await start({ storage, handler: (upload) => upload });
      const data = randomBytes(size);
      const answer = await app.post(file(data));
      expect(answer).toMatchObject({ status: 201, body: { size } });
      expect((await storage.getBytes((answer.body as { key: string }).key)).equals(data)).toBe(true);
    });

    it('that comes byte by byte arrives as it was sent', async () => {
      const storage = new MemoryStorage();
      const app = await start({ storage, options: { key: () => 'a' } });
      const body = form(field('x', 'y'), file('0123456789\r\n--X-TEST\r\n-'));
      const client = await app.connect();
      client.socket.setNoDelay(true);
      client.head({ 'Content-Length': String(body.length) });
      for (const byte of body) {
        await client.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await client.answer()).status).toBe(201);
      client.destroy();
      expect((await storage.getBytes('a')).toString()).toBe('0123456789\r\n--X-TEST\r\n-');
    });

    it('that an input without a choice sends is no file', async () => {
      const app = await start({ handler: (upload) => ({ none: upload === undefined }) });
      const empty = { filename: '', type: 'application/octet-stream', data: '' };
      expect((await app.post({ name: 'file', ...empty })).body).toEqual({ none: true });
      expect((await app.post({ name: 'another', ...empty })).body).toEqual({ none: true });
    });
  });

  describe('contentType', () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const html = '<!doctype html><script>alert(1)</script>';
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

    const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
    const docx = storedZip('[Content_Types].xml', `<Override ContentType="${wordType}.main+xml"/>`);

    it.each([
      ['an office document, which is no XML', docx, 'application/xml', wordType, '.docx'],
      ['an image with the right claim', png, 'image/png', 'image/png', '.png'],
      ['an image that claims to be text', png, 'text/plain', 'image/png', '.png'],
      ['HTML', html, 'text/html', 'application/octet-stream', ''],
      ['HTML that claims to be an image', html, 'image/png', 'application/octet-stream', ''],
      ['SVG', svg, 'image/svg+xml', 'application/octet-stream', ''],
      ['SVG with an XML declaration', `<?xml version="1.0"?>${svg}`, 'image/svg+xml', 'application/octet-stream', ''],
      ['a script', 'alert(1)', 'text/javascript', 'application/octet-stream', ''],
      ['text', 'Grüße', 'text/plain', 'text/plain', '.txt'],
      ['CSV', 'a;b\n1;2', 'TEXT/CSV', 'text/csv', '.csv'],
      ['JSON', '{"a":1}', 'application/json', 'application/json', '.json'],
      ['bytes that claim to be text', Buffer.of(1, 2, 0, 255), 'text/plain', 'application/octet-stream', ''],
      [
        'Latin-1 that claims to be text',
        Buffer.from('Gr\xfc\xdfe', 'latin1'),
        'text/plain',
        'application/octet-stream',
        '',
      ],
      ['nothing', '', 'image/png', 'application/octet-stream', ''],
    ])('of %s is what its bytes are', async (_what, data, claimed, contentType, extension) => {
      const app = await start({ handler: (upload) => upload });
      const { body } = await app.post(file(Buffer.from(data), 'file', 'a.html', claimed));
      expect(body).toMatchObject({ contentType, mimetype: claimed.toLowerCase() });
      expect((body as { key: string }).key.slice(36)).toBe(extension);
    });

    it('of text whose character is cut where the look at it ends is text', async () => {
      const app = await start({ handler: (upload) => upload });
      const { body } = await app.post(file('a'.repeat(4099) + 'ü'.repeat(10), 'file', 'a', 'text/plain'));
      expect(body).toMatchObject({ contentType: 'text/plain' });
    });
  });

  describe('originalname', () => {
    it.each([
      ['../../etc/passwd', 'passwd'],
      ['C:\\\\Users\\\\me\\\\a.txt', 'a.txt'],
      ['Grüße 日本 😀.png', 'Grüße 日本 😀.png'],
      ['a%22b%0D%0Ac%20d.txt', 'a"bc%20d.txt'],
      ['tab\there.txt', 'tabhere.txt'],
      ['..', ''],
      ['a/', ''],
      [`${'ü'.repeat(200)}.txt`, `${'ü'.repeat(125)}.txt`],
      ['😀'.repeat(100), '😀'.repeat(63)],
    ])('of %j is %j', async (sent, expected) => {
      const app = await start({ handler: (upload) => ({ name: upload?.originalname }) });
      expect((await app.post(file('x', 'file', sent))).body).toEqual({ name: expected });
    });

    it('comes from filename* before filename', async () => {
      const app = await start({ handler: (upload) => ({ name: upload?.originalname }) });
      const answer = await app.send(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"; filename*=UTF-8''%e2%82%ac%00.txt\r\n\r\nx\r\n--${BOUNDARY}--\r\n`,
      );
      expect(answer.body).toEqual({ name: '€.txt' });
    });
  });

  describe('@Body()', () => {
    it('has the text fields, repeated ones as an array, and no prototype', async () => {
      let prototype: unknown = {};
      const app = await start({
        handler: (_upload, body) => {
          prototype = Object.getPrototypeOf(body);
          return body;
        },
      });
      const answer = await app.post(
        field('a', '1'),
        field('b', ''),
        field('a', '2'),
        field('constructor', 'c'),
        field('toString', 't'),
        field('a', '3'),
        field('k%22', 'ü'),
      );
      expect(answer.body).toEqual({ a: ['1', '2', '3'], b: '', constructor: 'c', toString: 't', 'k"': 'ü' });
      expect(prototype).toBe(null);
    });
  });

  describe('options', () => {
    it('key makes the key of the file, from the fields before it and the request', async () => {
      const storage = new MemoryStorage();
      const seen: unknown[] = [];
      const app = await start({
        storage,
        options: {
          key: async (incoming, context) => {
            await Promise.resolve();
            const { body } = context.switchToHttp().getRequest<{ body: Record<string, string> }>();
            seen.push(incoming);
            return `${body['user'] ?? ''}/${incoming.originalname}`;
          },
        },
        handler: (upload) => upload,
      });
      const answer = await app.post(field('user', 'ada'), file('hello', 'file', 'a b.txt', 'text/plain'));
      expect(answer).toMatchObject({ status: 201, body: { key: 'ada/a b.txt', size: 5 } });
      expect(seen).toEqual([
        {
          fieldname: 'file',
          originalname: 'a b.txt',
          encoding: '7bit',
          mimetype: 'text/plain',
          contentType: 'text/plain',
          extension: '.txt',
        },
      ]);
      expect(await storage.exists('ada/a b.txt')).toBe(true);
    });

    it('key runs in the asynchronous context of the request', async () => {
      const local = new AsyncLocalStorage<string>();
      const app = await start({
        before: (_request, _response, next) => {
          local.run('mine', next);
        },
        options: { key: () => `of-${local.getStore() ?? 'nobody'}` },
        handler: (upload) => ({ key: upload?.key, handler: local.getStore() }),
      });
      const client = await app.connect();
      const body = form(file(randomBytes(200_000)));
      client.head({ 'Content-Length': String(body.length), Expect: '100-continue' });
      // the interceptor waits for the body by then: what comes next comes from the socket
      expect((await client.answer()).status).toBe(100);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      await client.send(body);
      expect((await client.answer()).body).toEqual({ key: 'of-mine', handler: 'mine' });
      client.destroy();
    });

    it('metadata is stored, as a value and from a function', async () => {
      const storage = new MemoryStorage();
      let app = await start({ storage, options: { key: () => 'a', metadata: { owner: 'ada' } } });
      await app.post(file('x'));
      expect((await storage.info('a')).metadata).toEqual({ owner: 'ada' });
      await app.close();
      const metadata = ({ originalname }: IncomingFile): Record<string, string> => ({ name: originalname });
      app = await start({ storage, options: { key: () => 'b', metadata } });
      await app.post(file('x', 'file', 'ü.txt'));
      expect((await storage.info('b')).metadata).toEqual({ name: 'ü.txt' });
    });

    it('overwrite replaces a file after the handler, which has no etag yet and sees it afterwards', async () => {
      const storage = new MemoryStorage();
      await storage.put('a', 'old');
      let upload: StoredUpload | undefined;
      const app = await start({
        storage,
        options: { key: () => 'a', overwrite: true },
        handler: async (given) => {
          upload = given;
          return { etag: given?.etag, old: (await storage.getBytes('a')).toString() };
        },
      });
      const answer = await app.post(file('new'));
      expect(answer).toMatchObject({ status: 201, body: { old: 'old' } });
      expect(answer.body).not.toHaveProperty('etag');
      expect((await storage.getBytes('a')).toString()).toBe('new');
      expect(upload).toMatchObject({ etag: (await storage.info('a')).etag });
    });

    it('commit afterHandler gives back what the handler of an Observable gave', async () => {
      const app = await start({ options: { commit: 'afterHandler' }, handler: () => of({ first: 1 }, { last: 2 }) });
      expect(await app.post(file('x'))).toMatchObject({ status: 201, body: { last: 2 } });
    });

    it('defaults of the application hold where the interceptor says nothing, limits one by one', async () => {
      const app = await start({
        defaults: { limits: { fileSize: 10, fieldSize: 5 }, required: true, key: () => 'default' },
        options: { limits: { fieldSize: 20 }, required: undefined },
        handler: (upload) => upload,
      });
      expect((await app.post(file('12345678901'))).status).toBe(413);
      expect((await app.post(field('a', '1234567'))).body).toMatchObject({ code: 'MISSING_FILE' });
      expect((await app.post(field('a', '1234567'), file('1234567890'))).body).toMatchObject({ key: 'default' });
    });

    it.each([
      [{ colour: 'red' }, /options of StorageFileInterceptor\("file"\) have no colour/],
      [{ limits: { fileSize: -1 } }, /limits\.fileSize/],
      [{ limits: { size: 1 } }, /limits .* have no size/],
      [{ commit: 'now' }, /commit/],
      [{ storage: '' }, /storage/],
      [{ key: 'a' }, /key/],
    ])('%j are refused where they are written', (options, message) => {
      expect(() => StorageFileInterceptor('file', options as UploadOptions)).toThrow(message);
    });
  });

  describe('at the start', () => {
    it('fails for a storage that has no such name, and names itself', async () => {
      const starting = start({ options: { storage: 'nowhere' } });
      await expect(starting).rejects.toThrow(/StorageFileInterceptor\("file"\).*nowhere/s);
    });

    it('finds a storage by its name', async () => {
      const app = await start({ options: { storage: 'other' }, handler: (upload) => upload });
      expect((await app.post(file('x'))).body).toMatchObject({ storage: 'other' });
    });

    it('fails for wrong defaults', async () => {
      const defaults = { limits: { fileSize: 'big' } } as unknown as UploadOptions;
      await expect(start({ defaults })).rejects.toThrow(/limits\.fileSize in the upload defaults/);
    });

    it('fails for keys of its own in a storage that cannot create only', async () => {
      class Plain extends MemoryStorage {
        override readonly capabilities = defineCapabilities({ stage: 'native' });
      }
      await expect(start({ storage: new Plain(), options: { key: () => 'a' } })).rejects.toThrow(/createOnly/);
      expect((await (await start({ storage: new Plain() })).post(file('x'))).status).toBe(201);
    });
  });

  it('takes parallel uploads: of one key only one is created', async () => {
    const storage = new MemoryStorage();
    let arrived = 0;
    let open: () => void = () => undefined;
    const allArrived = new Promise<void>((resolve) => {
      open = resolve;
    });
    const key = async (): Promise<string> => {
      if (++arrived === 20) open();
      await allArrived;
      return 'one';
    };
    const app = await start({ storage, options: { key } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => app.post(file(Buffer.alloc(100_000, index)))),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const winner = answers.findIndex(({ status }) => status === 201);
    expect((await storage.getBytes('one')).equals(Buffer.alloc(100_000, winner))).toBe(true);
  });

  it('leaves no listener on a connection that is used again and again', async () => {
    const app = await start();
    const client = await app.connect();
    let sockets = 0;
    let listeners = 0;
    app.server.on('request', ({ socket }: { socket: Socket }) => {
      sockets++;
      listeners = ['close', 'error', 'data', 'end', 'drain'].reduce(
        (sum, event) => sum + socket.listenerCount(event),
        0,
      );
    });
    client.post(form(file(randomBytes(200_000))));
    await client.answer();
    const first = listeners;
    for (let round = 0; round < 20; round++) {
      client.post(form(file(randomBytes(200_000), round % 2 === 0 ? 'file' : 'wrong')));
      await client.answer();
    }
    client.destroy();
    expect(sockets).toBe(21);
    expect(listeners).toBe(first);
  });
});

/** The beginning of a zip file: one entry, not compressed (APPNOTE.TXT, section 4.3.7). */
function storedZip(name: string, content: string): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt32LE(Buffer.byteLength(content), 18);
  header.writeUInt32LE(Buffer.byteLength(content), 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name + content)]);
}
