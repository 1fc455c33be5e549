import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { SignedUpload, Storage } from '../../../contract/index.js';
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
      for (const name of ['a.txt', ...ODD_KEYS]) {
        const upload = await storage.uploadUrl(key(name), { expiresIn: 60, contentType: 'text/plain' });
        assert.ok(upload.expiresAt.getTime() > Date.now());
        assert.ok(upload.expiresAt.getTime() < Date.now() + 62_000);
        const status = await send(fetch, upload, 'uploaded');
        assert.ok(isOk(status), `${status}`);
        assert.equal((await storage.getBytes(key(name))).toString(), 'uploaded');
        assert.equal((await storage.info(key(name))).contentType, 'text/plain');
      }
    },
  },
  {
    name: 'an upload URL takes a body of its size, and no other',
    needs: 'uploadUrls',
    run: async ({ storage, key, fetch }) => {
      const upload = await storage.uploadUrl(key('a'), { expiresIn: 60, size: 5 });
      for (const body of ['1234', '123456']) await expectRefused(storage, key('a'), () => send(fetch, upload, body));
      assert.ok(isOk(await send(fetch, upload, '12345')));
      assert.equal((await storage.info(key('a'))).size, 5);
    },
  },
  {
    name: 'an upload URL takes a body up to its largest size',
    needs: 'uploadUrls',
    run: async (context) => {
      const { storage, key, fetch } = context;
      const asked = storage.uploadUrl(key('a'), { expiresIn: 60, maxSize: 5 });
      const [outcome] = await Promise.allSettled([asked]);
      if (outcome.status === 'rejected') {
        // a server may have no way to bound a length that is not known
        await context.rejects(asked, 'UNSUPPORTED_OPERATION');
        return;
      }
      const upload = outcome.value;
      await expectRefused(storage, key('a'), () => send(fetch, upload, '123456'));
      assert.ok(isOk(await send(fetch, upload, '12345')));
      assert.equal((await storage.info(key('a'))).size, 5);
    },
  },
  {
    name: 'an upload URL takes a body of its checksum, and no other',
    needs: 'uploadUrls',
    run: async ({ storage, key, fetch }) => {
      const checksum = { md5: createHash('md5').update('right').digest('hex') };
      const upload = await storage.uploadUrl(key('a'), { expiresIn: 60, checksum });
      await expectRefused(storage, key('a'), () => send(fetch, upload, 'wrong'));
      assert.ok(isOk(await send(fetch, upload, 'right')));
      assert.equal((await storage.getBytes(key('a'))).toString(), 'right');
    },
  },
  {
    name: 'an upload URL that creates only never replaces',
    needs: 'uploadUrls',
    run: async (context) => {
      const { storage, key, fetch } = context;
      const asked = storage.uploadUrl(key('a'), { expiresIn: 60, ifNoneMatch: '*' });
      if (!storage.capabilities.createOnly) {
        await context.rejects(asked, 'UNSUPPORTED_OPERATION');
        return;
      }
      const upload = await asked;
      assert.ok(isOk(await send(fetch, upload, 'first')));
      const status = await send(fetch, upload, 'second');
      assert.ok(status >= 400 && status < 500, `${status}`);
      assert.equal((await storage.getBytes(key('a'))).toString(), 'first');
    },
  },
  {
    name: 'an upload URL that was tampered with puts nothing',
    needs: 'uploadUrls',
    run: async ({ storage, key, fetch }) => {
      await storage.put(key('b.txt'), 'old');
      const upload = await storage.uploadUrl(key('a.txt'), { expiresIn: 60 });
      if (upload.method !== 'PUT') return;
      const url = upload.url.replace('a.txt', 'b.txt');
      assert.notEqual(url, upload.url);
      const status = await send(fetch, { ...upload, url }, 'new');
      assert.ok(status >= 400 && status < 500, `${status}`);
      assert.equal((await storage.getBytes(key('b.txt'))).toString(), 'old');
    },
  },
  {
    name: 'uploadUrl refuses bounds that are none',
    needs: 'uploadUrls',
    run: async (context) => {
      for (const wrong of [
        { size: -1 },
        { size: 1, maxSize: 2 },
        { maxSize: 0.5 },
        { contentType: 'none' },
        { checksum: {} },
        { checksum: { md5: 'abc' } },
        { checksum: { md5: '0'.repeat(32), crc32: '0'.repeat(8) } },
        { ifNoneMatch: 'an etag' },
        { method: 'GET' },
      ] as object[]) {
        const asked = context.storage.uploadUrl(context.key('a'), { expiresIn: 60, ...wrong });
        await context.rejects(asked, 'INVALID_ARGUMENT', { operation: 'uploadUrl' });
      }
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

/** Makes the request, as a client that knows nothing else. @returns its status */
async function send(fetch: typeof globalThis.fetch, upload: SignedUpload, body: string): Promise<number> {
  const answer = await fetch(upload.url, {
    method: upload.method,
    ...(upload.method === 'PUT' ? { headers: upload.headers, body } : { body: formOf(upload.fields, body) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

function formOf(fields: Readonly<Record<string, string>>, body: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([body]));
  return form;
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

async function expectRefused(storage: Storage, key: string, send: () => Promise<number>): Promise<void> {
  const status = await send();
  assert.ok(status >= 400 && status < 500, `${status}`);
  assert.equal(await storage.exists(key), false);
}
