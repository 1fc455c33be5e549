import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { MemoryStorage, type Storage } from 'nestjs-storages';
import { PUBLIC, SECRET, SigningApplication } from './signing-application.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('A signed URL', () => {
  let app: SigningApplication;
  let files: Storage;
  let others: Storage;

  beforeAll(async () => {
    app = await SigningApplication.start({
      storages: { files: new MemoryStorage(), 'other ones': new MemoryStorage() },
    });
    files = app.storage('files');
    others = app.storage('other ones');
    await files.put('a.txt', 'the bytes');
    await others.put('a.txt', 'of another storage');
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('gives the file to whoever has it, by GET and HEAD, whole and in part', async () => {
    const url = await files.url('a.txt', { expiresIn: '15m' });
    expect(url).toMatch(/^https:\/\/files\.example\.com\/storage\/files\/a\.txt\?expires=\d+&signature=[\w-]{43}$/);
    expect(await app.send(url)).toMatchObject({ status: 200, body: Buffer.from('the bytes') });
    const head = await app.send(url, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '9' }, body: Buffer.alloc(0) });
    const part = await app.send(url, { headers: { range: 'bytes=4-' } });
    expect(part).toMatchObject({ status: 206, body: Buffer.from('bytes') });
    const again = await app.send(url, { headers: { 'if-none-match': head.headers.etag } });
    expect(again.status).toBe(304);
  });

  it('is what url() gives without options too, good for an hour', async () => {
    const before = Date.now() / 1000;
    const url = await files.url('a.txt');
    const after = Date.now() / 1000;
    const expires = Number(new URL(url).searchParams.get('expires'));
    expect(expires).toBeGreaterThanOrEqual(before + 3600);
    // whole seconds
    expect(expires).toBeLessThanOrEqual(after + 3601);
    expect((await app.send(url)).status).toBe(200);
  });

  it('tells of it in the capabilities of its storage', () => {
    expect(files.capabilities).toMatchObject({
      urls: 'signed',
      uploadUrls: true,
      oneTimeUrls: false,
      createOnly: true,
    });
  });

  it('of a storage with a name of any characters works', async () => {
    expect((await app.send(await others.url('a.txt'))).body.toString()).toBe('of another storage');
  });

  it('works for a key of any characters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 })
          .map((parts) => parts.join('/'))
          .filter((key) => !/[\p{Cc}\p{Cs}]/u.test(key) && Buffer.byteLength(key) <= 1024),
        async (given) => {
          let key: string;
          try {
            ({ key } = await files.put(given, given));
          } catch (error) {
            // nothing is left of it when it is canonical
            expect(error).toMatchObject({ code: 'INVALID_KEY' });
            return;
          }
          const answer = await app.send(await files.url(given));
          expect([answer.status, answer.body.toString()]).toEqual([200, given]);
          await files.delete(key);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says 404 for a file that is not there, since its holder may ask', async () => {
    expect((await app.send(await files.url('missing.txt'))).status).toBe(404);
  });

  it('gives an attachment for what a browser might run, and passes itself on to nobody', async () => {
    await files.put('page.html', '<script>alert(1)</script>', { contentType: 'text/html' });
    const { headers } = await app.send(await files.url('page.html', { disposition: 'inline; filename="page.html"' }));
    expect(headers).toMatchObject({
      'content-disposition': 'attachment; filename="page.html"',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  it('shows what its signer has named, type and all, in a sandbox where that could run', async () => {
    await files.put('report', '%PDF-', { contentType: 'application/pdf' });
    const shown = { disposition: 'inline', contentType: 'application/pdf' };
    expect((await app.send(await files.url('report', shown))).headers).toMatchObject({
      'content-disposition': 'inline',
      'content-type': 'application/pdf',
    });
    const page = await app.send(await files.url('page.html', { disposition: 'inline', contentType: 'text/html' }));
    expect(page.headers).toMatchObject({ 'content-disposition': 'inline', 'content-security-policy': 'sandbox' });
  });

  describe('is refused, always in the same words,', () => {
    const refusal = {
      status: 403,
      json: {
        statusCode: 403,
        message: 'This URL is not valid, or not any more.',
        error: 'Forbidden',
        code: 'INVALID_SIGNED_URL',
      },
    };
    const refused = async (url: string, method = 'GET'): Promise<void> => {
      const { status, json } = await app.send(url, { method });
      expect({ url, status, json }).toEqual({ url, ...refusal });
    };

    it('with any bit changed', async () => {
      const url = await files.url('a.txt', { expiresIn: 60, disposition: 'attachment', contentType: 'text/x-a' });
      const base = `${PUBLIC}/storage/`.length;
      const changed = new Set<string>();
      for (let at = base; at < url.length; at++) {
        for (let bit = 0; bit < 7; bit++) {
          const character = String.fromCharCode(url.charCodeAt(at) ^ (1 << bit));
          // what no request line can have
          if (/[^!-~]|#/.test(character)) continue;
          changed.add(url.slice(0, at) + character + url.slice(at + 1));
        }
      }
      expect(changed.size).toBeGreaterThan(700);
      for (const other of changed) {
        const { status, json } = await app.send(other);
        expect({ other, status, json }).toEqual({ other, ...refusal });
      }
    }, 120_000);

    it('whether its file is there or not', async () => {
      const url = await files.url('missing.txt');
      await refused(url.replace('expires=1', 'expires=2'));
      await refused(url.slice(0, -1));
    });

    it('when it has expired', async () => {
      const url = await files.url('a.txt', { expiresIn: 1 });
      const expires = Number(new URL(url).searchParams.get('expires')) * 1000;
      const clock = jest.spyOn(Date, 'now').mockReturnValue(expires - 1);
      expect((await app.send(url)).status).toBe(200);
      clock.mockReturnValue(expires);
      await refused(url);
    });

    it('with a parameter added, doubled, left out or in another place', async () => {
      const url = await files.url('a.txt', { expiresIn: 60, disposition: 'attachment' });
      const [path = '', query = ''] = url.split('?');
      const parts = query.split('&');
      await refused(`${url}&a=b`);
      await refused(`${url}&`);
      await refused(`${path}?a=b&${query}`);
      for (const part of parts) await refused(`${url}&${part}`);
      for (const part of parts) await refused(`${path}?${parts.filter((other) => other !== part).join('&')}`);
      await refused(`${path}?${parts.toReversed().join('&')}`);
      await refused(path);
    });

    it('for another spelling of the key, of another key, of another storage', async () => {
      const url = await files.url('a.txt');
      for (const spelled of [
        '%61.txt',
        'a%2Etxt',
        './a.txt',
        '%2e/a.txt',
        'b/../a.txt',
        '/a.txt',
        'a.txt/',
        'A.txt',
        'missing.txt',
      ]) {
        await refused(url.replace('a.txt', spelled));
      }
      await refused(url.replace('/files/', '/other%20ones/'));
      await refused(url.replace('/files/', '/no-storage/'));
    });

    it('for another method', async () => {
      const url = await files.url('a.txt');
      await refused(url, 'PUT');
      await refused(url, 'POST');
      const upload = await files.uploadUrl('a.txt', { expiresIn: 60 });
      await refused(upload.url);
      await refused(upload.url, 'POST');
      expect((await app.send(url, { method: 'DELETE' })).status).toBe(404);
      expect(await files.exists('a.txt')).toBe(true);
    });

    it('when another secret has signed it', async () => {
      const secrets = ['another secret of thirty-two bytes, or more'];
      await using stranger = await SigningApplication.start({
        storages: { files: new MemoryStorage() },
        serve: { secrets },
      });
      await refused(await stranger.storage('files').url('a.txt'));
    });
  });

  it('that an old secret has signed is good until that is taken out', async () => {
    const url = await files.url('a.txt');
    const secrets = ['a new secret of at least thirty-two bytes', SECRET];
    const storage = new MemoryStorage();
    await using rotated = await SigningApplication.start({ storages: { files: storage }, serve: { secrets } });
    await storage.put('a.txt', 'rotated');
    expect((await rotated.send(url)).status).toBe(200);
    expect((await app.send(await storage.url('a.txt'))).status).toBe(403);
  });
});

describe('A URL that is good once', () => {
  const start = async (marks = new MemoryStorage()): Promise<SigningApplication> =>
    SigningApplication.start({
      storages: { files: new MemoryStorage(), marks },
      serve: { usedUrls: { storage: 'marks', prefix: 'used' } },
    });

  it('gives the file to one GET, and to HEAD before it', async () => {
    await using app = await start();
    const files = app.storage('files');
    expect(files.capabilities.oneTimeUrls).toBe(true);
    await files.put('a.txt', 'once');
    const url = await files.url('a.txt', { once: true });
    expect((await app.send(url, { method: 'HEAD' })).status).toBe(200);
    expect((await app.send(url)).body.toString()).toBe('once');
    expect((await app.send(url)).status).toBe(403);
    expect((await app.send(url, { method: 'HEAD' })).status).toBe(403);
    expect((await app.send(await files.url('a.txt', { once: true }))).status).toBe(200);
  });

  it('has one winner of many, in two applications that share the place where uses are noted', async () => {
    const marks = new MemoryStorage();
    await using one = await start(marks);
    await using two = await start(marks);
    for (const app of [one, two]) await app.storage('files').put('a.txt', 'once');
    const url = await one.storage('files').url('a.txt', { once: true });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, turn) => (turn % 2 === 0 ? one : two).send(url)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(39);
  });

  it('does not tell a used URL of a file from one that was never signed, and does not lose its use to a wrong one', async () => {
    await using app = await start();
    const files = app.storage('files');
    await files.put('a.txt', 'once');
    const url = await files.url('a.txt', { once: true });
    expect((await app.send(url.replace('a.txt', 'b.txt'))).status).toBe(403);
    expect((await app.send(url, { method: 'PUT' })).status).toBe(403);
    expect((await app.send(url)).status).toBe(200);
  });

  it('keeps no note of uses whose URLs have expired', async () => {
    const marks = new MemoryStorage();
    await using app = await start(marks);
    const files = app.storage('files');
    await files.put('a.txt', 'once');
    const now = Math.floor(Date.now() / 3_600_000);
    // half past, so that no hour ends meanwhile
    jest.spyOn(Date, 'now').mockReturnValue(now * 3_600_000 + 1_800_000);
    await marks.put(`used/${now - 1}/old`, '');
    await marks.put(`used/${now}/young`, '');
    await marks.put('used/notes.txt', 'of another making');
    const removed = new Promise<void>((resolve) => {
      const { deletePrefix } = marks;
      marks.deletePrefix = async (...args) => {
        const report = await deletePrefix.apply(marks, args);
        resolve();
        return report;
      };
    });
    expect((await app.send(await files.url('a.txt', { once: true, expiresIn: '2h' }))).status).toBe(200);
    await removed;
    const left: string[] = [];
    for await (const { key } of marks.list()) left.push(key.replace(/[0-9a-f]{32}$/, '<use>'));
    expect(left).toEqual([`used/${now}/young`, `used/${now + 2}/<use>`, 'used/notes.txt']);
  });

  it('is refused by url() where uses cannot be noted', async () => {
    await using app = await SigningApplication.start({ storages: { files: new MemoryStorage() } });
    await expect(app.storage('files').url('a.txt', { once: true })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      message: expect.stringContaining('usedUrls') as unknown,
    });
  });
});
