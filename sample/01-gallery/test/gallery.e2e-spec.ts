import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchChromium } from './chromium.js';
import { eventually } from './eventually.js';
import { GalleryPage, PHONE } from './gallery-page.js';
import { pngPicture } from './picture.js';
import { keysOf, type RunningGallery, startGallery } from './running-gallery.js';

const MB = 1_000_000;
const PICTURE = 'Sonnenuntergang über dem See – 1.png';
const VIDEO = 'holiday.mp4';

describe('the gallery in Chromium', () => {
  let files: string;
  let browser: Browser;
  let visitor: GalleryPage;
  let page: Page;
  let gallery: RunningGallery;
  let complaints: readonly string[];

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'gallery-files-'));
    await writeFile(join(files, PICTURE), pngPicture(640, 480));
    await writeFile(join(files, 'notes.txt'), 'Three things to remember.\n');
    await writeVideo(join(files, VIDEO), 300 * MB);
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await rm(files, { recursive: true });
  });

  beforeEach(async () => {
    gallery = await startGallery();
    visitor = await GalleryPage.open(browser);
    ({ page, complaints } = visitor);
  });

  afterEach(async () => {
    await visitor.context.close();
    await gallery.stop();
  });

  const card = (name: string): Locator => visitor.card(name);
  const comesTrue = (expression: string): Promise<boolean> => visitor.comesTrue(expression);
  const limitUpload = (throughput: number): Promise<void> => visitor.limitUpload(throughput);
  const row = (name: string): Locator => page.locator('#upload-list > li').filter({ hasText: name });
  const choose = (...names: string[]): Promise<void> =>
    page.locator('#input').setInputFiles(names.map((name) => join(files, name)));
  const screenshot = (name: string): Promise<Buffer> => visitor.screenshot(name);
  const total = (): Promise<string> => page.locator('#total').innerText();

  /** As a file manager does it: the pointer comes with files, waits over the page, and lets go. */
  async function drop(...paths: string[]): Promise<void> {
    const devtools = await visitor.context.newCDPSession(page);
    const box = await page.locator('#drop').boundingBox();
    if (box === null) throw new Error('There is no drop zone to be seen.');
    const point = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await devtools.send('Input.dispatchDragEvent', {
        type,
        ...point,
        data: { items: [], files: paths, dragOperationsMask: 1 },
      });
    }
  }

  it('is empty at first, and says so', async () => {
    await page.goto(gallery.url);
    await page.getByText('Nothing here yet').waitFor();
    await screenshot('desktop-empty');
    expect(complaints).toEqual([]);
  });

  it('takes an image and 300 MB dropped on it, moves a bar, shows both, and keeps its memory flat', async () => {
    await page.goto(gallery.url);
    await choose(PICTURE);
    await card(PICTURE).waitFor();

    // a browser tells of progress some twenty times a second: on a fast machine there would be nothing to see
    await limitUpload(200 * MB);
    await page.evaluate('window.barValues = []');
    const memory = watchMemory();
    await drop(join(files, VIDEO));
    await card(VIDEO).waitFor({ timeout: 60_000 });
    const grown = memory.stop();

    const values = await page.evaluate<number[]>('window.barValues');
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values.filter((value) => value > 0 && value < 1)).size).toBeGreaterThanOrEqual(5);
    // This process is the server: a file that was held in memory would be seen here, all 300 MB of it.
    expect(grown).toBeLessThan(100 * MB);

    await page.locator('#uploads').waitFor({ state: 'hidden' });
    expect(await total()).toMatch(/^2 files · 300\.\d MB$/);
    expect(await card(VIDEO).locator('.size').innerText()).toBe('300.0 MB');
    expect(await card(VIDEO).locator('time').innerText()).toMatch(/^Today, \d\d:\d\d$/);
    await comesTrue(`document.querySelector('#files img').naturalWidth === 480`);

    const stored = await Promise.all((await gallery.keys()).map((key) => gallery.storage.info(key)));
    const video = stored.find((file) => file.size === 300 * MB);
    expect(video?.key).toMatch(new RegExp(`^\\d{13}-[0-9a-f-]{36}/${VIDEO}$`));
    // An ordinary file at an ordinary path, byte for byte.
    expect(await hashOf(join(gallery.root, video?.key ?? ''))).toBe(await hashOf(join(files, VIDEO)));

    await page.reload();
    await card(VIDEO).waitFor();
    expect(await page.locator('#files .name').allInnerTexts()).toEqual([VIDEO, PICTURE]);
    expect(complaints).toEqual([]);
  }, 120_000);

  it('cancels an upload half way, and nothing of it is left', async () => {
    await page.goto(gallery.url);
    await limitUpload(60 * MB);
    await choose(VIDEO);
    await comesTrue(`document.querySelector('#upload-list progress')?.value > 0.45`);
    // half way it stays, however long it takes to look at it
    await limitUpload(MB);
    // It was on its way to the disk.
    expect(await gallery.leftovers()).toHaveLength(1);
    await screenshot('desktop-uploading');

    await page.getByRole('button', { name: `Cancel ${VIDEO}` }).click();
    await row(VIDEO).waitFor({ state: 'detached' });
    await eventually(
      () => gallery.leftovers(),
      (left) => left.length === 0,
    );
    expect(await gallery.keys()).toEqual([]);
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
  }, 60_000);

  it('sends at most three files at once, and the next when one is through', async () => {
    await page.goto(gallery.url);
    const names = ['one.bin', 'two.bin', 'three.bin', 'four.bin', 'five.bin'];
    await limitUpload(2 * MB);
    await page
      .locator('#input')
      .setInputFiles(
        names.map((name) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.alloc(2 * MB) })),
      );
    await comesTrue(`document.querySelectorAll('#upload-list > [data-state=sending]').length === 3`);
    expect(await page.locator('#upload-list > [data-state=waiting]').count()).toBe(2);

    await page.getByRole('button', { name: 'Cancel one.bin' }).click();
    await comesTrue(`document.querySelectorAll('#upload-list > [data-state=waiting]').length === 1`);
    await limitUpload(-1);
    for (const name of names.slice(1)) await card(name).waitFor();
    expect(await gallery.keys()).toHaveLength(4);
  });

  it('downloads a file under its own name, whole', async () => {
    await page.goto(gallery.url);
    await choose(PICTURE);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: `Download ${PICTURE}` }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(PICTURE);
    expect(await readFile(await download.path())).toEqual(await readFile(join(files, PICTURE)));

    const answer = await fetch(download.url());
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String((await stat(join(files, PICTURE))).size),
      'content-disposition': expect.stringContaining(`filename*=UTF-8''Sonnenuntergang%20%C3%BCber`),
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    await answer.body?.cancel();
  });

  it('asks before it deletes, and goes on at the neighbour', async () => {
    await page.goto(gallery.url);
    await choose(PICTURE, 'notes.txt');
    await card(PICTURE).waitFor();
    await card('notes.txt').waitFor();

    await page.getByRole('button', { name: `Delete ${PICTURE}` }).click();
    await page.getByRole('dialog', { name: 'Delete this file?' }).waitFor();
    await screenshot('desktop-delete');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await gallery.keys()).toHaveLength(2);

    await page.getByRole('button', { name: `Delete ${PICTURE}` }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await card(PICTURE).waitFor({ state: 'detached' });
    expect(await focused()).toBe('Delete notes.txt');
    expect(await page.locator('#announcements').textContent()).toBe(`${PICTURE} is deleted.`);
    expect(await total()).toBe('1 file · 26 bytes');
    const [left, ...others] = await gallery.keys();
    expect(others).toEqual([]);
    expect(left).toMatch(/\/notes\.txt$/);
    expect(await keysOf(gallery.thumbnails)).toEqual([]);
  });

  it('can be used with the keyboard alone', async () => {
    // Before the page is loaded: from here on Chromium tells of a file chooser instead of opening one.
    page.on('filechooser', (chooser) => void chooser.setFiles(join(files, PICTURE)));
    await page.goto(gallery.url);
    await tabTo('Choose files');
    await page.keyboard.press('Enter');
    await card(PICTURE).waitFor();

    await tabTo(`Show ${PICTURE}`);
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: PICTURE }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await focused()).toBe(`Show ${PICTURE}`);

    await tabTo(`Delete ${PICTURE}`);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    // The harmless answer has the focus.
    expect(await focused()).toBe('Keep it');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await card(PICTURE).waitFor({ state: 'detached' });
    expect(await focused()).toBe('Choose files');
    expect(await gallery.keys()).toEqual([]);

    // A cancelled row hands its focus on too.
    await limitUpload(5 * MB);
    await choose(VIDEO);
    await row(VIDEO).waitFor();
    await tabTo(`Cancel ${VIDEO}`);
    await page.keyboard.press('Space');
    await row(VIDEO).waitFor({ state: 'detached' });
    expect(await focused()).toBe('Choose files');
  }, 60_000);

  it('shows what went wrong, and tries again', async () => {
    await page.goto(gallery.url);
    await page.route('**/signed/**', (route) => route.abort('connectionreset'), { times: 1 });
    await choose('notes.txt');
    await row('notes.txt').getByText('The connection broke off').waitFor();
    await page.getByRole('button', { name: 'Try notes.txt again' }).click();
    await card('notes.txt').waitFor();
    expect(await row('notes.txt').count()).toBe(0);

    const refusal = { statusCode: 507, message: 'The disk is full.', error: 'Insufficient Storage' };
    await page.route('**/signed/**', (route) => route.fulfill({ status: 507, json: refusal }), { times: 1 });
    await choose(PICTURE);
    await row(PICTURE).getByText('The disk is full.').waitFor();
    await page.getByRole('button', { name: `Dismiss ${PICTURE}` }).click();
    await row(PICTURE).waitFor({ state: 'detached' });

    await gallery.storage.deletePrefix('', { all: true });
    await mkdir(join(files, 'folder'), { recursive: true });
    await drop(join(files, 'folder'));
    await page.getByText('Folders are not taken: folder.').waitFor();
    expect(await gallery.keys()).toEqual([]);
  });

  it('treats names and files as what they are, a stranger’s', async () => {
    const name = '<img src=x onerror=alert(1)>.html';
    const key = 'a folder/50% #1? & ü 🏞️/<b>.svg';
    await gallery.storage.put(key, '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    await page.goto(gallery.url);
    await page
      .locator('#input')
      .setInputFiles([{ name, mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') }]);
    await card(name).waitFor();
    expect(await card(name).locator('.name').textContent()).toBe(name);
    expect(await page.locator('#files img').count()).toBe(0);

    for (const stored of await gallery.keys()) {
      const path = stored.split('/').map(encodeURIComponent).join('/');
      const answer = await fetch(`${gallery.url}/api/files/${path}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
      expect(answer.headers.get('content-security-policy')).toBe('sandbox');
      await answer.body?.cancel();
    }
    // The page finds its way to a key of any characters, and what stands there was dropped in by hand.
    await page.getByRole('button', { name: 'Delete <b>.svg' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await card('<b>.svg').waitFor({ state: 'detached' });
    expect(await gallery.storage.exists(key)).toBe(false);

    const missing = await fetch(`${gallery.url}/api/files/no/such/file`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ statusCode: 404 });
    // the second as browsers say it to an address in the home network, which is neither https nor localhost
    const foreignHeaders: Record<string, string>[] = [
      { 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'http://elsewhere.test' },
      { Origin: 'null' },
    ];
    for (const headers of foreignHeaders) {
      for (const path of ['files', 'uploads', 'thumbnails', 'shares', 'archive']) {
        const foreign = await fetch(`${gallery.url}/api/${path}`, { method: 'POST', headers });
        expect(foreign.status).toBe(403);
        await foreign.body?.cancel();
      }
    }
    const own = await fetch(`${gallery.url}/api/files`, { method: 'POST', headers: { Origin: gallery.url } });
    expect(own.status).toBe(415);
    await own.body?.cancel();
    expect(complaints).toEqual([]);
  });

  it('fits a phone, in the light and in the dark', async () => {
    await fillForScreenshots(gallery);
    await page.goto(gallery.url);
    await card('Ночной поезд.mp3').waitFor();
    await comesTrue(`[...document.querySelectorAll('#files img')].every((image) => image.naturalWidth > 0)`);
    await page.evaluate(`Promise.all([...document.querySelectorAll('#files img')].map((image) => image.decode()))`);
    await screenshot('desktop-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot('desktop-dark');

    await page.setViewportSize(PHONE);
    await limitUpload(8 * MB);
    await choose(VIDEO);
    await comesTrue(`document.querySelector('#upload-list progress')?.value > 0.04`);
    await limitUpload(MB);
    await screenshot('phone-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await screenshot('phone-light');
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    for (const button of await page.locator('main button:visible, main a:visible').all()) {
      const box = await button.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
    await page
      .getByRole('button', { name: /^Show / })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('img').waitFor();
    await screenshot('phone-viewer');
  }, 60_000);

  function focused(): Promise<string> {
    return page.evaluate<string>(
      `document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()`,
    );
  }

  async function tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 40; presses++) {
      if ((await focused()) === name) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`The Tab key does not come to ${JSON.stringify(name)}.`);
  }
});

/** The head of an MP4 file, and then as many bytes as a film has. No two blocks are the same. */
async function writeVideo(path: string, size: number): Promise<void> {
  const block = Buffer.alloc(MB, 'A day at the sea. ');
  const head = Buffer.from('\0\0\0\x18ftypisom\0\0\0\x02isommp42', 'latin1');
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < size; at += MB) {
      block.writeUInt32BE(at, head.length);
      if (at === 0) head.copy(block);
      await file.write(block, 0, Math.min(MB, size - at));
    }
  } finally {
    await file.close();
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** How far the memory of this process grows over what it is now, in bytes. */
function watchMemory(): { stop(): number } {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  return {
    stop() {
      clearInterval(timer);
      return peak - before;
    },
  };
}

async function fillForScreenshots({ storage }: RunningGallery): Promise<void> {
  const put = (id: string, name: string, data: Buffer): Promise<unknown> => storage.put(`${id}/${name}`, data);
  await put('1', 'backup of the old laptop.tar.gz', Buffer.alloc(4_100_000));
  await put('2', 'Quarterly report 2026 – final (3).pdf', Buffer.alloc(482_113));
  await put('3', 'Ночной поезд.mp3', Buffer.alloc(5_200_000));
  await put('4', 'lake.png', pngPicture(960, 540));
  await put('5', 'holiday, second part.mp4', Buffer.alloc(31_000_000));
  await put('6', 'portrait.png', pngPicture(480, 800));
  await put('7', 'LICENSE', Buffer.alloc(1086));
  await put('8', 'panorama from the ridge above the village.png', pngPicture(1600, 500));
}
