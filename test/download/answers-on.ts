import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, type Storage, type StoredFile } from 'nestjs-storages';
import { DownloadApplication, type DownloadAnswer } from './download-application.js';

const BYTES = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const SIZE = BYTES.length;

/** What an answer is on any storage, status by status and header by header. @param make is called in a hook, with a folder of its own */
export function describeAnswers(name: string, make: (folder: string) => Storage): void {
  describe(`An answer with a stored file (${name})`, () => {
    let folder: string;
    let storage: Storage;
    let app: DownloadApplication;
    let file: StoredFile;
    let tag: string;
    let date: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'download-'));
      storage = make(folder);
      app = await DownloadApplication.start(storage);
      await storage.put('text.txt', BYTES, { contentType: 'text/plain' });
      await storage.put('empty', Buffer.alloc(0));
      await storage.put('page.html', '<script>alert(1)</script>');
      await storage.put('naïve "résumé" 😀.html', 'x');
      await storage.put('a.svg', '<svg/>');
      await storage.put('a.pdf', '%PDF-1.7');
      await storage.put('kept.png', 'png', {
        cacheControl: 'public, max-age=60',
        contentDisposition: 'attachment; filename="other.png"',
        contentEncoding: 'gzip',
      });
      file = await storage.info('text.txt');
      tag = `"${file.etag}"`;
      date = file.lastModified.toUTCString();
    });

    afterAll(async () => {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });

    beforeEach(() => {
      app.options = {};
    });

    const range = (value: string, more: Record<string, string> = {}): Promise<DownloadAnswer> =>
      app.get('text.txt', { range: value, ...more });

    it('is the whole, with all that a client needs to keep it', async () => {
      const { status, headers, body } = await app.get('text.txt');
      expect([status, body]).toEqual([200, BYTES]);
      expect(headers).toMatchObject({
        etag: tag,
        'last-modified': date,
        'accept-ranges': 'bytes',
        'content-length': String(SIZE),
        'content-type': 'text/plain',
        'cache-control': 'private, no-cache',
        'content-disposition': 'inline; filename=text.txt',
        'x-content-type-options': 'nosniff',
      });
      expect(headers['content-security-policy']).toBeUndefined();
    });

    it('may come as a promise', async () => {
      expect(await app.send('GET', '/later?key=text.txt')).toMatchObject({ status: 200, body: BYTES });
    });

    it('has no body for HEAD, and every header', async () => {
      const get = await app.get('text.txt');
      for (const path of ['/file/text.txt', '/head/text.txt']) {
        const head = await app.send('HEAD', path, { range: 'bytes=0-1' });
        expect([head.status, head.body.length]).toEqual([200, 0]);
        const { date: _of, ...headers } = head.headers;
        const { date: _ofGet, ...ofGet } = get.headers;
        expect(headers).toEqual(ofGet);
      }
    });

    it('leaves a handler of another method its status', async () => {
      const answer = await app.send('POST', '/file/text.txt', { range: 'bytes=0-1', 'if-none-match': '"other"' });
      expect([answer.status, answer.body]).toEqual([201, BYTES]);
    });

    it.each([
      ['bytes=0-0', '0', 'bytes 0-0/36'],
      ['bytes=10-12', 'abc', 'bytes 10-12/36'],
      ['bytes=30-', 'uvwxyz', 'bytes 30-35/36'],
      ['bytes=30-1000', 'uvwxyz', 'bytes 30-35/36'],
      ['bytes=-3', 'xyz', 'bytes 33-35/36'],
      ['bytes=-1000', BYTES.toString(), 'bytes 0-35/36'],
      ['BYTES=1-2', '12', 'bytes 1-2/36'],
      ['bytes=1-2 , ,', '12', 'bytes 1-2/36'],
      ['bytes=0-3,2-5', '012345', 'bytes 0-5/36'],
      ['bytes=4-5,0-3', '012345', 'bytes 0-5/36'],
      ['bytes=0-1,100-200', '01', 'bytes 0-1/36'],
      ['bytes=0-99999999999999999999999999', BYTES.toString(), 'bytes 0-35/36'],
    ])('is a part for Range: %s', async (asked, expected, contentRange) => {
      const { status, headers, body } = await range(asked);
      expect([status, String(body), headers['content-range']]).toEqual([206, expected, contentRange]);
      expect(headers).toMatchObject({ etag: tag, 'last-modified': date, 'content-length': String(expected.length) });
    });

    it.each([
      'bytes=5-2',
      'bytes',
      'bytes=',
      'bytes=,',
      'bytes=a-b',
      'bytes=1',
      'bytes=--1',
      'items=0-1',
      'bytes = 0-1',
      'bytes=0-1;2-3',
      'bytes=0-0, and 1,000 more',
    ])('is the whole where the Range says nothing: %s', async (asked) => {
      const { status, headers, body } = await range(asked.replace(', and 1,000 more', ',0-0'.repeat(1000)));
      expect([status, body, headers['content-range']]).toEqual([200, BYTES, undefined]);
    });

    it.each(['bytes=36-', 'bytes=36-40', 'bytes=-0', 'bytes=99999999999999999999999-', 'bytes=-0,40-50'])(
      'is 416 with the size for Range: %s',
      async (asked) => {
        const { status, headers } = await range(asked);
        expect([status, headers['content-range']]).toEqual([416, 'bytes */36']);
      },
    );

    it('of several ranges has each of them, in the order of the bytes', async () => {
      const { status, headers, body } = await range('bytes=30-31, 0-1,10-10');
      expect([status, headers['content-range'], headers['content-length']]).toEqual([
        206,
        undefined,
        String(body.length),
      ]);
      const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1] ?? '';
      const part = (at: string, bytes: string): string =>
        `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes ${at}/36\r\n\r\n${bytes}\r\n`;
      expect(String(body)).toBe(`${part('0-1', '01')}${part('10-10', 'a')}${part('30-31', 'uv')}--${boundary}--\r\n`);
    });

    it('of ranges that lie far apart has each of them too', async () => {
      const large = Buffer.alloc(20_000_000, 'abcdefghijklm');
      await storage.put('large', large);
      const asked = [0, 5_000_000, 9_999_998, 19_000_000].map((offset) => `${offset}-${offset + 299_999}`);
      const { status, headers, body } = await app.get('large', { range: `bytes=${asked.join()}` });
      expect([status, headers['content-length']]).toEqual([206, String(body.length)]);
      let at = 0;
      for (const range of asked) {
        const [first = 0, last = 0] = range.split('-').map(Number);
        at = body.indexOf(`Content-Range: bytes ${range}/20000000\r\n\r\n`, at);
        at = body.indexOf('\r\n\r\n', at) + 4;
        expect(body.subarray(at, at + 300_000).equals(large.subarray(first, last + 1))).toBe(true);
      }
    });

    it('of 17 ranges that do not touch is the whole', async () => {
      const ranges = (count: number): string =>
        `bytes=${Array.from({ length: count }, (_each, i) => `${i * 2}-${i * 2}`).join()}`;
      expect((await range(ranges(17))).status).toBe(200);
      expect((await range(ranges(16))).status).toBe(206);
    });

    it('of nothing is 200, and 416 where a part of it is asked for', async () => {
      const { status, headers, body } = await app.get('empty');
      expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
      // satisfiable, and nothing to be told of it
      expect((await app.get('empty', { range: 'bytes=-1' })).status).toBe(200);
      for (const asked of ['bytes=0-', 'bytes=0-0', 'bytes=-0']) {
        const refused = await app.get('empty', { range: asked });
        expect([refused.status, refused.headers['content-range']]).toEqual([416, 'bytes */0']);
      }
    });

    const past = 'Mon, 01 Jan 2001 00:00:00 GMT';
    const future = 'Fri, 01 Jan 2100 00:00:00 GMT';
    it.each<[string, (tag: string, date: string) => Record<string, string>, number]>([
      ['If-None-Match that matches', (t) => ({ 'if-none-match': t }), 304],
      ['If-None-Match that matches weakly', (t) => ({ 'if-none-match': `W/${t}` }), 304],
      ['If-None-Match with it in a list', (t) => ({ 'if-none-match': `"a,b", W/"c" , ${t}` }), 304],
      ['If-None-Match of everything', () => ({ 'if-none-match': '*' }), 304],
      ['If-None-Match of another', () => ({ 'if-none-match': '"other"' }), 200],
      ['If-None-Match that is no list', (t) => ({ 'if-none-match': t.slice(1, -1) }), 200],
      ['If-Modified-Since its date', (_t, d) => ({ 'if-modified-since': d }), 304],
      ['If-Modified-Since later', () => ({ 'if-modified-since': future }), 304],
      ['If-Modified-Since before', () => ({ 'if-modified-since': past }), 200],
      ['If-Modified-Since that is no date', () => ({ 'if-modified-since': '2100' }), 200],
      [
        'If-Modified-Since beside If-None-Match, which wins',
        () => ({ 'if-none-match': '"other"', 'if-modified-since': future }),
        200,
      ],
      ['If-Match that matches', (t) => ({ 'if-match': t }), 200],
      ['If-Match of everything', () => ({ 'if-match': '*' }), 200],
      ['If-Match that matches only weakly', (t) => ({ 'if-match': `W/${t}` }), 412],
      ['If-Match of another', () => ({ 'if-match': '"other"' }), 412],
      ['If-Unmodified-Since its date', (_t, d) => ({ 'if-unmodified-since': d }), 200],
      ['If-Unmodified-Since before', () => ({ 'if-unmodified-since': past }), 412],
      ['If-Unmodified-Since beside If-Match, which wins', (t) => ({ 'if-match': t, 'if-unmodified-since': past }), 200],
      [
        'If-Match that fails beside If-None-Match that matches',
        (t) => ({ 'if-match': '"other"', 'if-none-match': t }),
        412,
      ],
      ['If-Match that holds beside If-None-Match that matches', (t) => ({ 'if-match': t, 'if-none-match': t }), 304],
      ['If-None-Match that matches beside a Range', (t) => ({ 'if-none-match': t, range: 'bytes=0-1' }), 304],
      ['If-Match that fails beside a Range beyond the end', () => ({ 'if-match': '"other"', range: 'bytes=99-' }), 412],
      ['If-Range that matches', (t) => ({ 'if-range': t, range: 'bytes=0-1' }), 206],
      ['If-Range that matches only weakly', (t) => ({ 'if-range': `W/${t}`, range: 'bytes=0-1' }), 200],
      ['If-Range of another', () => ({ 'if-range': '"other"', range: 'bytes=0-1' }), 200],
      ['If-Range of another, and a Range beyond the end', () => ({ 'if-range': '"other"', range: 'bytes=99-' }), 200],
      ['If-Range of another date', () => ({ 'if-range': past, range: 'bytes=0-1' }), 200],
      ['If-Match with it in a list', (t) => ({ 'if-match': `"other", ${t}` }), 200],
      ['If-Match of a list of others', () => ({ 'if-match': '"other", W/"another"' }), 412],
      ['If-Match that holds beside a Range', (t) => ({ 'if-match': t, range: 'bytes=0-1' }), 206],
      [
        'If-Match that fails beside If-Unmodified-Since that holds',
        () => ({ 'if-match': '"x"', 'if-unmodified-since': future }),
        412,
      ],
      ['If-Unmodified-Since later', () => ({ 'if-unmodified-since': future }), 200],
      ['If-Unmodified-Since that is no date', () => ({ 'if-unmodified-since': 'yesterday' }), 200],
      ['If-Unmodified-Since before beside a Range', () => ({ 'if-unmodified-since': past, range: 'bytes=0-1' }), 412],
      ['If-Unmodified-Since later beside a Range', () => ({ 'if-unmodified-since': future, range: 'bytes=0-1' }), 206],
      ['If-Modified-Since later beside a Range', () => ({ 'if-modified-since': future, range: 'bytes=0-1' }), 304],
      ['If-Modified-Since before beside a Range', () => ({ 'if-modified-since': past, range: 'bytes=0-1' }), 206],
      ['If-None-Match of another beside a Range', () => ({ 'if-none-match': '"x"', range: 'bytes=0-1' }), 206],
      [
        'If-None-Match that matches beside If-Range that does',
        (t) => ({ 'if-none-match': t, 'if-range': t, range: 'bytes=0-1' }),
        304,
      ],
      [
        'If-None-Match of another beside If-Range that matches',
        (t) => ({ 'if-none-match': '"x"', 'if-range': t, range: 'bytes=0-1' }),
        206,
      ],
      [
        'If-None-Match of another beside If-Range of another',
        () => ({ 'if-none-match': '"x"', 'if-range': '"x"', range: 'bytes=0-1' }),
        200,
      ],
      ['If-Range that is no date and no tag', () => ({ 'if-range': 'yesterday', range: 'bytes=0-1' }), 200],
      ['If-Range without a Range', (t) => ({ 'if-range': t }), 200],
      ['If-Range of everything', () => ({ 'if-range': '*', range: 'bytes=0-1' }), 200],
    ])('to %s is answered as RFC 9110 has it', async (_case, headersOf, expected) => {
      const { status, headers, body } = await app.get('text.txt', headersOf(tag, date));
      expect(status).toBe(expected);
      if (status === 304) {
        expect(body).toHaveLength(0);
        expect(headers).toMatchObject({ etag: tag, 'last-modified': date, 'cache-control': 'private, no-cache' });
        expect([headers['content-type'], headers['content-length']]).toEqual([undefined, undefined]);
      }
      if (status === 412) expect(JSON.parse(String(body))).toMatchObject({ code: 'PRECONDITION_FAILED' });
    });

    it('to If-Range of a date is the whole: two versions may have been made within its second', async () => {
      expect((await range('bytes=0-1', { 'if-range': date })).status).toBe(200);
    });

    it('to HEAD has conditions too', async () => {
      const head = (headers: Record<string, string>): Promise<DownloadAnswer> =>
        app.send('HEAD', '/file/text.txt', headers);
      expect((await head({ 'if-none-match': tag })).status).toBe(304);
      expect((await head({ 'if-match': '"other"' })).status).toBe(412);
    });

    it('is 404 for a key that is not there, whatever is asked, and says no path', async () => {
      for (const headers of [{}, { range: 'bytes=0-1' }, { 'if-none-match': '*' }, { 'if-match': '*' }]) {
        const { status, body } = await app.get('none', headers);
        expect(status).toBe(404);
        expect(JSON.parse(String(body))).toMatchObject({ statusCode: 404, code: 'FILE_NOT_FOUND' });
        expect(String(body)).not.toContain(folder);
      }
      expect((await app.send('HEAD', '/file/none')).status).toBe(404);
    });

    it('is never run in the name of the application', async () => {
      for (const key of ['page.html', 'a.svg', 'empty', 'a.pdf']) {
        app.options = { disposition: 'inline' };
        const { headers } = await app.get(key);
        expect(headers['content-disposition']).toMatch(/^attachment/);
        expect(headers).toMatchObject({ 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' });
      }
      app.options = { inlineTypes: ['application/pdf', 'text/html; charset=utf-8'] };
      expect((await app.get('a.pdf')).headers).toMatchObject({ 'content-disposition': 'inline; filename=a.pdf' });
      expect((await app.get('a.pdf')).headers['content-security-policy']).toBeUndefined();
      expect((await app.get('page.html')).headers).toMatchObject({
        'content-disposition': 'inline; filename=page.html',
        'content-security-policy': 'sandbox',
      });
    });

    it('has what was stored with it, and what the route says instead', async () => {
      expect((await app.get('kept.png')).headers).toMatchObject({
        'cache-control': 'public, max-age=60',
        'content-disposition': 'attachment; filename=other.png',
        'content-encoding': 'gzip',
        'content-type': 'image/png',
      });
      app.options = {
        cacheControl: 'no-store',
        disposition: 'inline',
        filename: 'mine.png',
        contentType: 'image/webp',
      };
      expect((await app.get('kept.png')).headers).toMatchObject({
        'cache-control': 'no-store',
        'content-disposition': 'inline; filename=mine.png',
        'content-type': 'image/webp',
      });
    });

    it('encoded as a whole is not cut into several parts', async () => {
      const { status, body } = await app.get('kept.png', { range: 'bytes=0-0,2-2' });
      expect([status, String(body)]).toEqual([200, 'png']);
      expect((await app.get('kept.png', { range: 'bytes=0-0' })).status).toBe(206);
    });

    it('has conditions and ranges only where it would be a success without them', async () => {
      for (const headers of [{ 'if-none-match': '*' }, { 'if-match': '"other"' }, { range: 'bytes=0-1' }]) {
        const { status, body } = await app.send('GET', '/error-page?key=text.txt', headers);
        expect([status, body]).toEqual([404, BYTES]);
      }
    });

    it('has any name, with one in ASCII beside it', async () => {
      const { headers } = await app.get('naïve "résumé" 😀.html');
      expect(headers['content-disposition']).toBe(
        `attachment; filename="naive _resume_ _.html"; filename*=UTF-8''na%C3%AFve%20%22r%C3%A9sum%C3%A9%22%20%F0%9F%98%80.html`,
      );
      for (const filename of [
        '\ud800x',
        'a\r\nSet-Cookie: x',
        '../../etc/passwd',
        '"',
        '%22',
        '',
        'x'.repeat(5000),
        '\u202e.exe',
        '日本語',
        'a／..／b.txt',
      ]) {
        app.options = { filename };
        const { status, headers: named } = await app.get('text.txt');
        expect([filename.length, status]).toEqual([filename.length, 200]);
        expect(named['set-cookie']).toBeUndefined();
      }
    });

    it('is of one version, headers and bytes, while the key is overwritten', async () => {
      const versions = [Buffer.alloc(300_000, 'a'), Buffer.alloc(200_000, 'b'), Buffer.alloc(100_000, 'c')];
      await storage.put('moving', versions[0] ?? '');
      const state = { over: false };
      const writing = (async () => {
        for (let i = 0; !state.over; i++) {
          await storage.put('moving', versions[i % 3] ?? '');
          // a put in memory may take no turn of the loop
          await new Promise(setImmediate);
        }
      })();
      const asked: Record<string, string>[] = [
        {},
        { range: 'bytes=10-70000' },
        { range: 'bytes=0-9,50000-50009' },
        { 'if-none-match': '"other"' },
      ];
      try {
        for (let i = 0; i < 40; i++) {
          const { status, headers, body } = await app.get('moving', asked[i % 4]);
          expect([200, 206]).toContain(status);
          expect(headers['content-length']).toBe(String(body.length));
          const text = String(body).replace(/(?:\r\n)?--\S+\r\n[\s\S]*?\r\n\r\n|\r\n--.*/g, '');
          const size = { a: 300_000, b: 200_000, c: 100_000 }[text[0] ?? ''] ?? 0;
          expect(new Set(text.replaceAll('\r\n', ''))).toHaveProperty('size', 1);
          const total = /\/(\d+)/.exec(headers['content-range'] ?? String(body))?.[1] ?? headers['content-length'];
          expect(Number(total)).toBe(size);
        }
      } finally {
        state.over = true;
        await writing;
      }
    });

    it('is that of the memory storage, byte for byte but the dates, the etag and the boundary', async () => {
      await using plain = await DownloadApplication.start(new MemoryStorage());
      const described = {
        contentDisposition: 'inline; filename="a b.txt"',
        cacheControl: 'max-age=1',
        contentType: 'text/plain',
      };
      for (const to of [storage, plain.storage]) {
        await to.put('same/text', BYTES, described);
        await to.put('same/empty', '');
        await to.put('same/page.html', '<p>', { contentEncoding: 'gzip' });
      }
      const told = async (from: DownloadApplication): Promise<string[]> => {
        const answers: string[] = [];
        for (const key of ['same/text', 'same/empty', 'same/page.html', 'same/none']) {
          const etag = (await from.storage.exists(key)) ? `"${(await from.storage.info(key)).etag}"` : '"none"';
          const conditions: Record<string, string>[] = [
            {},
            ...['bytes=1-2', 'bytes=0-0,2-2', 'bytes=-1', 'bytes=90-', 'bytes=2-1', 'lines=1-2'].map((range) => ({
              range,
            })),
            { 'if-none-match': etag },
            { 'if-none-match': '"x"' },
            { 'if-match': '"x"' },
            { 'if-match': etag, range: 'bytes=0-1' },
            { 'if-range': etag, range: 'bytes=0-1' },
            { 'if-range': '"x"', range: 'bytes=0-1' },
            { 'if-modified-since': future },
            { 'if-unmodified-since': past },
          ];
          for (const headers of conditions) {
            for (const method of ['GET', 'HEAD']) {
              const answer = await from.send(method, `/file/${encodeURIComponent(key)}`, headers);
              const boundary = /boundary=(\S+)/.exec(answer.headers['content-type'] ?? '')?.[1] ?? etag;
              answers.push(
                JSON.stringify({ ...answer, body: answer.body.toString('latin1') })
                  .replaceAll(boundary, 'boundary')
                  .replaceAll(JSON.stringify(etag).slice(1, -1), 'etag')
                  .replace(/"(?:date|last-modified)":"[^"]*"/g, ''),
              );
            }
          }
        }
        return answers;
      };
      expect(await told(app)).toEqual(await told(plain));
    });
  });
}
