import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { newKey } from '../src/file-key.js';
import { launchChromium } from './chromium.js';
import { eventually } from './eventually.js';
import { GalleryPage, PHONE } from './gallery-page.js';
import { pngPicture } from './picture.js';
import { keysOf, type RunningGallery, startGallery } from './running-gallery.js';
import { DRAW_SCENES, frameOf, webmVideo } from './video.js';

const MB = 1_000_000;
const HTML = 'naïve "résumé" 😀.html';

describe('what is stored, in Chromium', () => {
  let browser: Browser;
  let visitor: GalleryPage;
  let page: Page;
  let gallery: RunningGallery;

  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);

  afterAll(() => browser.close());

  beforeEach(async () => {
    gallery = await startGallery();
    visitor = await GalleryPage.open(browser);
    ({ page } = visitor);
  });

  afterEach(async () => {
    await visitor.context.close();
    await gallery.stop();
  });

  const put = (name: string, data: string | Buffer): Promise<unknown> => gallery.storage.put(newKey(name), data);
  const names = (): Promise<string[]> => page.locator('#files .name').allTextContents();
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${gallery.url}/api/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  const choose = (name: string, mimeType: string, buffer: Buffer): Promise<void> =>
    page.locator('#input').setInputFiles([{ name, mimeType, buffer }]);

  it('seeks in a video by ranges, and loads no more of it than it needs', async () => {
    await page.goto(gallery.url);
    const [first = [], second = []] = await page.evaluate<number[][]>(DRAW_SCENES);
    const scenes = { first: frameOf(Uint8Array.from(first)), second: frameOf(Uint8Array.from(second)) };
    const video = webmVideo(scenes, 60, 1.5 * MB);
    await put('film.webm', video);
    await page.reload();

    const ranges: (string | null)[] = [];
    page.on('response', (response) => {
      if (!response.url().endsWith('film.webm')) return;
      expect(response.status()).toBe(206);
      ranges.push(response.headers()['content-range'] ?? null);
    });
    await page.getByRole('button', { name: 'Play film.webm' }).click();
    await visitor.comesTrue(`document.querySelector('#viewer video')?.readyState >= 2`);
    expect(await page.evaluate<number>(`document.querySelector('#viewer video').duration`)).toBe(60);
    // data that is there need not be drawn yet
    await eventually(colour, (seen) => seen === 'red');

    await page.evaluate(`document.querySelector('#viewer video').currentTime = 50`);
    await visitor.comesTrue(
      `(({ seeking, readyState }) => !seeking && readyState >= 2)(document.querySelector('#viewer video'))`,
    );
    expect(await page.evaluate<number>(`document.querySelector('#viewer video').currentTime`)).toBe(50);
    await eventually(colour, (seen) => seen === 'blue');
    expect(ranges[0]).toBe(`bytes 0-${video.length - 1}/${video.length}`);
    // it went to the place itself
    const starts = ranges.map((range) => Number(/^bytes (\d+)-/.exec(range ?? '')?.[1]));
    expect(Math.max(...starts)).toBeGreaterThan(video.length * 0.75);
    expect(visitor.complaints).toEqual([]);
  }, 60_000);

  it('shares a file by a link that needs nothing else, and one that ends when it says', async () => {
    await put('for you.txt', 'Only until then.');
    const stranger = await GalleryPage.open(browser);
    await page.goto(gallery.url);
    await page.getByRole('button', { name: 'Share for you.txt' }).click();
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/api/shares')),
      page.getByRole('button', { name: 'Make a link' }).click(),
    ]);
    const { url } = (await answer.json()) as { readonly url: string };
    await page.getByText('Whoever has this link can open the file until').waitFor();
    expect(await page.getByLabel('Link', { exact: true }).inputValue()).toBe(url);

    expect(await stranger.context.cookies()).toEqual([]);
    expect((await stranger.page.goto(url))?.status()).toBe(200);
    expect(await stranger.page.locator('body').innerText()).toBe('Only until then.');
    const forged = await fetch(url.replace(/signature=./, (sign) => `signature=${sign.endsWith('A') ? 'B' : 'A'}`));
    expect(forged.status).toBe(403);

    // another one, so that the first has all the time that it takes to be opened
    const [key] = await gallery.keys();
    const short = (await (await post('shares', { key, expiresIn: 1 })).json()) as { url: string; expiresAt: string };
    await eventually(
      async () => (await stranger.page.goto(short.url))?.status(),
      (status) => status === 403,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(short.expiresAt));
    expect(await stranger.page.locator('body').innerText()).not.toContain('Only until then.');
    await stranger.context.close();
    expect(visitor.complaints).toEqual([]);
  });

  it('downloads a page of HTML that was uploaded, and does not run it', async () => {
    const bytes = Buffer.from('<!doctype html><title>it ran</title><script>fetch("/it-ran")</script>');
    const asked: string[] = [];
    visitor.context.on('request', (request) => asked.push(request.url()));
    await page.goto(gallery.url);
    await choose(HTML, 'text/html', bytes);
    await visitor.card(HTML).waitFor();
    const [key = ''] = await gallery.keys();
    expect(key.slice(key.lastIndexOf('/') + 1)).toBe(HTML);

    const link = page.getByRole('link', { name: `Download ${HTML}` });
    const address = new URL((await link.getAttribute('href')) ?? '', page.url()).href;
    const [clicked] = await Promise.all([page.waitForEvent('download'), link.click()]);
    // opened as an address, which no attribute of a link makes a download
    const [opened] = await Promise.all([
      page.waitForEvent('download'),
      page.goto(address).then(
        () => Promise.reject(new Error('It was opened as a page.')),
        (error: unknown) => {
          expect(String(error)).toContain('Download is starting');
        },
      ),
    ]);
    for (const download of [clicked, opened]) {
      // a quotation mark is no character of a file's name to Chromium
      expect(download.suggestedFilename()).toBe(HTML.replaceAll('"', '_'));
      expect(await readFile(await download.path())).toEqual(bytes);
    }
    expect(await page.title()).toBe('Gallery');
    expect(asked.filter((url) => url.endsWith('/it-ran'))).toEqual([]);
  });

  it('lists 300 files newest first, a page at a time as they come near, and goes on after a failure', async () => {
    const stored = Array.from({ length: 300 }, (_, index) => `file ${index}.txt`);
    await Promise.all(
      stored.map((name, index) =>
        gallery.storage.put(`${String(index).padStart(13, '0')}-00000000-0000-4000-8000-000000000000/${name}`, name),
      ),
    );
    const pages: string[] = [];
    page.on('request', (request) => request.url().includes('/api/files?') && pages.push(request.url()));
    await page.goto(gallery.url);
    await page.getByText('60 files of more').waitFor();
    expect(await names()).toEqual(stored.slice(0, 60));
    expect(pages).toEqual([]);

    await page.route('**/api/files?*', (route) => route.abort('connectionreset'), { times: 1 });
    await page.evaluate(`scrollTo(0, document.body.scrollHeight)`);
    await page.getByText('The files could not be listed.').waitFor();
    await page.getByRole('button', { name: 'Show more files' }).click();
    await page.getByText('120 files of more').waitFor();
    await eventually(
      async () => {
        await page.evaluate(`scrollTo(0, document.body.scrollHeight)`);
        return page.locator('#files > li').count();
      },
      (count) => count === 300,
    );
    await page.getByText('300 files ·').waitFor();
    expect(await names()).toEqual(stored);
    expect(await page.getByRole('button', { name: 'Show more files' }).count()).toBe(0);
    // four more pages, and the one that failed
    expect(pages).toHaveLength(5);

    // what is uploaded is the newest, also after the next visit
    await choose('new.txt', 'text/plain', Buffer.from('new'));
    await visitor.card('new.txt').waitFor();
    expect((await names())[0]).toBe('new.txt');
  });

  it('downloads a selection as a zip, and says why not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gallery-zip-'));
    const picture = pngPicture(64, 48);
    await put(HTML, '<p>one</p>');
    await put('same.txt', 'first');
    await put('same.txt', 'second');
    await put('not this.txt', 'no');
    await put('same.png', picture);
    await page.goto(gallery.url);
    await page.getByText('5 files').waitFor();
    expect(await page.locator('#selection').isVisible()).toBe(false);
    for (const box of await page.getByRole('checkbox', { name: /^Select (?!not)/ }).all()) await box.check();
    await page.getByText('4 files selected').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as zip' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('gallery.zip');
    await promisify(execFile)('unzip', ['-q', await download.path(), '-d', folder]);
    expect((await readdir(folder)).sort()).toEqual([HTML, 'same (2).txt', 'same.png', 'same.txt'].sort());
    expect(await readFile(join(folder, HTML), 'utf8')).toBe('<p>one</p>');
    expect(await readFile(join(folder, 'same.png'))).toEqual(picture);
    const both = [
      await readFile(join(folder, 'same.txt'), 'utf8'),
      await readFile(join(folder, 'same (2).txt'), 'utf8'),
    ];
    expect(both.sort()).toEqual(['first', 'second']);
    await rm(folder, { recursive: true });
    expect(visitor.complaints).toEqual([]);

    // somebody else has deleted one of them
    const [gone = ''] = (await gallery.keys()).filter((key) => key.endsWith('same.png'));
    await gallery.storage.delete(gone);
    await page.getByRole('button', { name: 'Download as zip' }).click();
    await page.getByText('There is no zip.').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await page.locator('#selection').isVisible()).toBe(false);
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);
    expect((await post('archive', { keys: [1] })).status).toBe(400);
    expect((await post('archive', {})).status).toBe(400);
  });

  it('puts a picture and its thumbnail by URLs of their own, and tells of the progress', async () => {
    const puts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PUT') puts.push(new URL(request.url()).pathname.replace(/\d{13}-[0-9a-f-]{36}/, 'ID'));
    });
    await page.goto(gallery.url);
    await visitor.limitUpload(3 * MB);
    const large = Buffer.concat([pngPicture(1200, 900), Buffer.alloc(6 * MB)]);
    await choose('lake.png', 'image/png', large);
    await visitor.card('lake.png').waitFor();
    const values = await page.evaluate<number[]>('window.barValues');
    expect(new Set(values.filter((value) => value > 0 && value < 1)).size).toBeGreaterThanOrEqual(5);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(puts).toEqual(['/signed/gallery/files/ID/lake.png', '/signed/gallery/thumbnails/ID/lake.png.webp']);

    const [key = ''] = await gallery.keys();
    expect(large.equals(await gallery.storage.getBytes(key))).toBe(true);
    const thumbnail = await gallery.thumbnails.info(`${key}.webp`);
    expect(thumbnail).toMatchObject({ contentType: 'image/webp' });
    expect(thumbnail.size).toBeLessThan(100_000);
    await visitor.comesTrue(`document.querySelector('#files img').naturalWidth === 480`);
    expect(visitor.complaints).toEqual([]);
  });

  it('gives URLs that put once, within their bounds, and for files that are there', async () => {
    const { key, upload } = (await (await post('uploads', { name: 'a.png' })).json()) as Begun;
    const send = ({ url, headers }: Begun['upload'], body: Buffer): Promise<Response> =>
      fetch(url, { method: 'PUT', body: new Uint8Array(body), headers });
    const picture = pngPicture(16, 12);
    expect((await send(upload, picture)).status).toBe(201);
    expect((await send(upload, Buffer.from('another'))).status).toBe(409);
    expect(picture.equals(await gallery.storage.getBytes(key))).toBe(true);

    const thumbnail = (await (await post('thumbnails', { key })).json()) as Begun['upload'];
    expect((await send(thumbnail, Buffer.alloc(256 * 1024 + 1))).status).toBe(413);
    expect(await keysOf(gallery.thumbnails)).toEqual([]);
    // the picture itself, since there is none
    const shown = await fetch(`${gallery.url}/api/thumbnails/${key}`);
    expect(picture.equals(Buffer.from(await shown.arrayBuffer()))).toBe(true);

    expect((await post('thumbnails', { key: 'no/such' })).status).toBe(404);
    expect((await post('shares', { key: 'no/such', expiresIn: 60 })).status).toBe(404);
    expect((await post('shares', { key, expiresIn: 7 * 24 * 3600 + 1 })).status).toBe(400);
    for (const name of ['', '..', 'folder/', 'a\u0000b', 7]) expect((await post('uploads', { name })).status).toBe(400);
  });

  it('takes files of programs by a form', async () => {
    const form = new FormData();
    form.append('file', new Blob(['from curl']), 'notes.txt');
    const answer = await fetch(`${gallery.url}/api/files`, { method: 'POST', body: form });
    expect(answer.status).toBe(201);
    await page.goto(gallery.url);
    await visitor.card('notes.txt').waitFor();
    const [key = ''] = await gallery.keys();
    expect((await gallery.storage.getBytes(key)).toString()).toBe('from curl');
  });

  it('shares and selects on a phone too', async () => {
    await page.setViewportSize(PHONE);
    await put('lake.png', pngPicture(960, 540));
    await put('portrait.png', pngPicture(480, 800));
    await put('Ночной поезд.mp3', Buffer.alloc(4000));
    await page.goto(gallery.url);
    await visitor.card('portrait.png').waitFor();
    await page.getByRole('checkbox', { name: 'Select lake.png' }).check();
    await visitor.screenshot('phone-selection-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Share portrait.png' }).click();
    await page.getByRole('button', { name: 'Make a link' }).click();
    await page.getByText('Whoever has this link').waitFor();
    await visitor.screenshot('phone-share-dark');
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(
      await page.evaluate<boolean>(
        `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('#share'))`,
      ),
    ).toBe(true);
    for (const button of await page.locator('dialog[open] button, dialog[open] select, #selection button').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });

  /** Of the middle of what the player shows. */
  async function colour(): Promise<string> {
    const [red = 0, , blue = 0] = await page.evaluate<number[]>(`(() => {
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      context.drawImage(document.querySelector('#viewer video'), 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    })()`);
    return red > 100 ? 'red' : blue > 100 ? 'blue' : `neither: ${red}, ${blue}`;
  }
});

interface Begun {
  readonly key: string;
  readonly upload: { readonly url: string; readonly headers: Record<string, string> };
}
