import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, Page } from 'playwright-core';
import { getStorageToken, type SignedUpload, type Storage } from 'nestjs-storages';
import { launchChromium } from '../../sample/01-gallery/test/chromium.js';

const SIGNED_URLS = new URL('../../docs/signed-urls.md', import.meta.url);

let folder: string;
let app: INestApplication;
let photos: Storage;
let browser: Browser;
let page: Page;

/** The URLs that are signed name the port, so that it has to be known before the application listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upload-page-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  Object.assign(process.env, {
    PHOTOS: join(folder, 'photos'),
    PUBLIC_URL: url,
    URL_SECRET: 'a secret of at least thirty-two bytes',
  });
  const { LinksModule } = await import('./links.module.js');
  app = await NestFactory.create(LinksModule, { logger: false, abortOnError: false });
  await app.listen(port, '127.0.0.1');
  photos = app.get(getStorageToken('photos'));
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${url}/a-page-of-this-origin`);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await app.close();
  await rm(folder, { recursive: true });
});

/** Runs the page's code as it stands in the document. Resolves to what it has shown. @param answer in place of the application's */
async function runBlock(name: string, answer?: SignedUpload): Promise<{ logged: string; progress: number }> {
  const document = await readFile(SIGNED_URLS, 'utf8');
  const [code = '', ...others] = [...document.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block = '']) => block);
  expect([code.length > 0, others]).toEqual([true, []]);
  // Chromium itself reports refused requests, as errors
  const logged = page.waitForEvent('console', (message) => message.type() === 'log');
  const bar = await page.evaluateHandle(() => ({ value: 0 }));
  await page.evaluate(
    ([source, bar, fileName, given]) => {
      const file = new File(['a photo'.repeat(100_000)], fileName, { type: 'image/jpeg' });
      const fetchOf = given === undefined ? fetch.bind(globalThis) : () => Promise.resolve(Response.json(given));
      // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- it is what this test is about
      return new Function('file', 'bar', 'fetch', `return (async () => {${source}})()`)(file, bar, fetchOf) as unknown;
    },
    [code, bar, name, answer] as const,
  );
  const text = (await logged).text();
  return { logged: text, progress: await bar.evaluate(({ value }) => value) };
}

it('sends a file by the URL that the application gave, and shows how far it is', async () => {
  expect(await runBlock('forum.jpg')).toEqual({ logged: 'stored', progress: 1 });
  expect(await photos.info('rome/forum.jpg')).toMatchObject({ size: 700_000, contentType: 'image/jpeg' });
});

it('shows what the application answers to a second upload by a URL that creates', async () => {
  expect((await runBlock('forum.jpg')).logged).toContain('FILE_EXISTS');
});

it('sends a file by a form', async () => {
  const form = await photos.uploadUrl('rome/form.jpg', { expiresIn: '1m', method: 'POST', contentType: 'image/jpeg' });
  expect(await runBlock('form.jpg', form)).toMatchObject({ logged: 'stored' });
  expect(await photos.info('rome/form.jpg')).toMatchObject({ size: 700_000 });
});
