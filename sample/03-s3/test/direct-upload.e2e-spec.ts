import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'content-disposition';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { s3Server, type S3Server } from '../../../test/s3/server/s3-server.js';
import { launchChromium } from '../../01-gallery/test/chromium.js';
import { eventually } from '../../01-gallery/test/eventually.js';
import { type RunningDirectUpload, runDirectUpload } from './running-direct-upload.js';

const MIB = 1024 * 1024;
const HTML = 'naïve "résumé" 😀.html';
const LARGE = 'scan, 20 MiB.bin';
const EMPTY = 'empty.txt';

const FILES = new Map([
  [HTML, Buffer.from('<!doctype html><script>document.title = "it ran"</script>')],
  [LARGE, Buffer.alloc(20 * MIB, 'scan ')],
  [EMPTY, Buffer.alloc(0)],
]);

const server = await s3Server('The sample of direct uploads');

if (server === undefined) it('is not run without a server', () => undefined);
else {
  describe('the page in Chromium', () => {
    provePageOn(server);
  });
  describe('the server', () => {
    proveServerOn(server);
  });
}

function provePageOn(server: S3Server): void {
  let folder: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let running: RunningDirectUpload;
  let requests: Request[];
  let complaints: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'direct-upload-files-'));
    for (const [name, bytes] of FILES) await writeFile(join(folder, name), bytes);
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    running = await runDirectUpload(server);
    context = await browser.newContext({ acceptDownloads: true });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    requests = [];
    complaints = [];
    page.on('request', (request) => requests.push(request));
    // Also says what CORS and the Content-Security-Policy have blocked; an answer of 4xx is none of them.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(running.url);
  });

  afterEach(async () => {
    await context.close();
    await running.stop();
    expect(complaints).toEqual([]);
  });

  const notice = (text: string): Promise<void> => page.locator('#notice').getByText(text).waitFor();
  const sentTo = (origin: string): string[] =>
    requests
      .filter((request) => request.url().startsWith(origin) && request.method() !== 'GET')
      .map((request) => `${request.method()} ${new URL(request.url()).pathname}`);

  async function choose(way: string, ...names: string[]): Promise<void> {
    await page.locator('#files').setInputFiles(names.map((name) => join(folder, name)));
    await page.getByLabel(way).check();
    await page.getByRole('button', { name: 'Upload' }).click();
  }

  async function expectStored(...names: string[]): Promise<void> {
    const keys = await running.keys();
    expect(keys.map((key) => key.replace(/[^/]{36}/, 'ID')).sort()).toEqual(
      names.map((name) => `files/ID/${name}`).sort(),
    );
    for (const key of keys) {
      const bytes = FILES.get(key.slice(key.lastIndexOf('/') + 1));
      expect(bytes?.equals(await running.storage.getBytes(key))).toBe(true);
    }
  }

  describe.each([
    ['Straight into the bucket', 'PUT', 'text/html'],
    // the library believes no name about what a browser may run
    ['Through the server', 'POST', 'application/octet-stream'],
  ])('%s', (way, method, contentType) => {
    it('goes a file of any name, type and length, and comes back under its name as a download', async () => {
      await choose(way, HTML, LARGE, EMPTY);
      await notice('3 files are stored.');
      await expectStored(HTML, LARGE, EMPTY);
      const key = (await running.keys()).find((each) => each.endsWith(HTML)) ?? '';
      expect(await running.storage.info(key)).toMatchObject({ contentType });

      // who carried the bytes
      const toBucket = sentTo(server.connection.endpoint);
      expect(toBucket).toHaveLength(method === 'PUT' ? 3 : 0);
      expect(toBucket.every((request) => request.startsWith('PUT '))).toBe(true);
      expect(sentTo(running.url).includes('POST /api/files')).toBe(method === 'POST');

      const link = page.getByRole('link', { name: HTML });
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
      // a quotation mark is no character of a file's name to Chromium
      expect(download.suggestedFilename()).toBe(HTML.replaceAll('"', '_'));
      expect(new URL(download.url()).origin).toBe(server.connection.endpoint);
      expect(await readFile(await download.path())).toEqual(FILES.get(HTML));
      const { headers } = await fetch(download.url());
      expect(parse(headers.get('content-disposition') ?? '')).toMatchObject({
        type: 'attachment',
        parameters: { filename: HTML },
      });
    });

    it('shows how far it is, and leaves nothing of what is cancelled', async () => {
      const devtools = await context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 2 * MIB,
      });
      await choose(way, LARGE);
      await eventually(
        () => page.evaluate<number>(`document.querySelector('#bar').value`),
        (value) => value > 0.1 && value < 1,
      );
      await page.getByRole('button', { name: 'Cancel' }).click();
      await notice('Cancelled.');
      await eventually(running.keys, (keys) => keys.length === 0);
    });
  });

  it('lets no page of another site put, even with a URL that is good', async () => {
    const upload = await running.storage.uploadUrl('incoming/a', { expiresIn: '15m', contentType: 'text/plain' });
    if (upload.method !== 'PUT') throw new Error('expected a PUT');
    const put = `fetch(${JSON.stringify(upload.url)}, { method: 'PUT', body: 'x', headers: ${JSON.stringify(upload.headers)} }).then(({ status }) => status, () => 'refused')`;
    const other = await context.newPage();
    await other.goto('data:text/html,another site');
    expect(await other.evaluate(put)).toBe('refused');
    expect(await running.keys()).toEqual([]);
    expect(await page.evaluate(put)).toBe(200);
  });
}

function proveServerOn(server: S3Server): void {
  let running: RunningDirectUpload;

  beforeAll(async () => {
    running = await runDirectUpload(server);
  });

  afterAll(() => running.stop());
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${running.url}/api/uploads${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  it.each([
    [{ name: '..', type: '', size: 1 }],
    [{ name: 'folder/', type: '', size: 1 }],
    [{ name: 'a\u0000b', type: '', size: 1 }],
    [{ name: 'a', type: 'text/html\r\nx: y', size: 1 }],
    [{ name: 'a', type: '', size: 5 * 1024 ** 3 + 1 }],
    [{ name: 'a', type: '', size: '1' }],
  ])('gives no URL for %j', async (body) => {
    expect((await post('', body)).status).toBe(400);
  });

  it.each([
    ['files/x', 400],
    ['incoming/../files/b2a8e7c0-0000-4000-8000-000000000000/a', 400],
    ['incoming/b2a8e7c0-0000-4000-8000-000000000000/a', 404],
  ])('does not take %s for an upload', async (key, status) => {
    expect((await post('/done', { key })).status).toBe(status);
  });

  it('takes an upload once, and leaves what is stored as it is', async () => {
    const answer = (await (await post('', { name: 'folder/a.txt', type: 'text/plain', size: 1 })).json()) as {
      readonly key: string;
      readonly upload: { readonly url: string; readonly headers: Record<string, string> };
    };
    const put = (body: string) => fetch(answer.upload.url, { method: 'PUT', body, headers: answer.upload.headers });
    expect((await put('12')).status).toBe(403);
    expect((await put('1')).status).toBe(200);
    const done = await (await post('/done', { key: answer.key })).json();
    expect(done).toMatchObject({ name: 'a.txt', size: 1 });
    expect((await put('2')).status).toBe(200);
    expect(await (await post('/done', { key: answer.key })).json()).toEqual(done);
    const { key } = done as { readonly key: string };
    expect((await running.storage.getBytes(key)).toString()).toBe('1');
  });
}
