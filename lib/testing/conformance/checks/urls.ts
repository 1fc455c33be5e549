import assert from 'node:assert/strict';
import { promise } from '../check.js';
import { expectNoSecret } from '../expect-error.js';
import { ODD_KEYS, LOOK_ALIKE } from './odd-keys.js';

export const urls = promise(
  'url is what the capabilities say, for every key',
  {
    name: 'url is a URL that names no file of the machine, and shows nothing of it',
    run: async ({ storage, key, secrets }) => {
      await storage.put(key('a b.txt'), 'a');
      const url = await storage.url(key('a b.txt'));
      assert.notEqual(new URL(url).protocol, 'file:');
      expectNoSecret(url, secrets);
      expectNoSecret(decodeURIComponent(url), secrets);
    },
  },
  {
    name: 'url needs no object',
    run: async ({ storage, key }) => {
      assert.ok(URL.canParse(await storage.url(key('missing'))));
      assert.equal(await storage.exists(key('missing')), false);
    },
  },
  {
    name: 'url of different keys is different, and of one key in two forms the same',
    run: async ({ storage, key }) => {
      for (const [one, other] of LOOK_ALIKE) {
        const href = async (name: string): Promise<string> => new URL(await storage.url(key(name))).href;
        assert.notEqual(await href(one), await href(other), `${one} and ${other}`);
      }
      const pathOf = async (given: string): Promise<string> => new URL(await storage.url(given)).pathname;
      assert.equal(await pathOf(`/${key('x/../a')}`), await pathOf(key('a')));
    },
  },
  {
    name: 'a pseudo-URL holds the key, percent-encoded, so that it can be read back',
    needs: 'pseudoUrls',
    run: async ({ storage, key }) => {
      for (const name of ODD_KEYS) {
        const { pathname, search, hash } = new URL(await storage.url(key(name)));
        // not through `pathname` of a parser that drops dots and slashes of its own
        assert.deepEqual([search, hash], ['', ''], name);
        assert.equal(decodeURIComponent(pathname).replace(/^\//, ''), key(name));
      }
    },
  },
  {
    name: 'a URL gives the bytes and the content type to whoever follows it, for odd keys too',
    needs: 'workingUrls',
    run: async ({ storage, key, fetch }) => {
      for (const name of ['a.txt', ...ODD_KEYS]) {
        await storage.put(key(name), `the object ${name}`, { contentType: 'text/x-odd' });
        const answer = await fetch(await storage.url(key(name)));
        assert.equal(answer.status, 200, name);
        assert.equal(await answer.text(), `the object ${name}`);
      }
    },
  },
  {
    name: 'a signed URL gives the bytes, with the disposition and content type that were asked for',
    needs: 'signedUrls',
    run: async ({ storage, key, fetch }) => {
      await storage.put(key('a.txt'), 'signed');
      const disposition = `attachment; filename="a \\"b\\".txt"; filename*=UTF-8''%e2%82%ac.txt`;
      const url = await storage.url(key('a.txt'), { expiresIn: '15m', disposition, contentType: 'text/x-other' });
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'signed');
      assert.equal(answer.headers.get('content-disposition'), disposition);
      assert.equal(answer.headers.get('content-type'), 'text/x-other');
    },
  },
  {
    name: 'a signed URL that was tampered with gives nothing',
    needs: 'signedUrls',
    run: async ({ storage, key, fetch }) => {
      await storage.put(key('a.txt'), 'signed');
      await storage.put(key('b.txt'), 'secret');
      const url = await storage.url(key('a.txt'), { expiresIn: 60 });
      const tampered = [url.replace('a.txt', 'b.txt'), url.slice(0, -1) + (url.endsWith('0') ? '1' : '0')];
      for (const other of tampered) {
        assert.notEqual(other, url);
        const { status } = await fetch(other);
        assert.ok(status >= 400 && status < 500, `${status} for ${other}`);
      }
      const { status } = await fetch(url, { method: 'DELETE' });
      assert.ok(status >= 400 && status < 500, `${status} for another method`);
      assert.equal(await storage.exists(key('a.txt')), true);
    },
  },
);

export const uploadUrls = promise(
  'uploadUrl works where it is declared and binds what it was given',
  {
    name: 'a request to an upload URL puts the object',
    needs: 'uploadUrls',
    run: async ({ storage, key, fetch }) => {
      const upload = await storage.uploadUrl(key('a.txt'), { expiresIn: 60, contentType: 'text/plain' });
      assert.ok(upload.expiresAt.getTime() > Date.now());
      if (upload.method === 'PUT') {
        const answer = await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: 'uploaded' });
        assert.ok(answer.ok, `${answer.status}`);
      } else {
        const form = new FormData();
        for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
        form.append('file', new Blob(['uploaded']));
        const answer = await fetch(upload.url, { method: 'POST', body: form });
        assert.ok(answer.ok, `${answer.status}`);
      }
      assert.equal((await storage.getBytes(key('a.txt'))).toString(), 'uploaded');
      assert.equal((await storage.info(key('a.txt'))).contentType, 'text/plain');
    },
  },
  {
    name: 'uploadUrl refuses a life that is zero, negative or longer than 7 days',
    run: async (context) => {
      for (const expiresIn of [0, -1, 604_801, Number.NaN, '8d', 'soon'] as number[]) {
        await context.rejects(context.storage.uploadUrl(context.key('a'), { expiresIn }), 'INVALID_ARGUMENT', {
          operation: 'uploadUrl',
        });
      }
    },
  },
);
