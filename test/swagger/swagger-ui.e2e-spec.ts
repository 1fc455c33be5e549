import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { MemoryStorage } from 'nestjs-storages';
import { launchChromium } from '../../sample/01-gallery/test/chromium.js';
import { pngPicture } from '../../sample/01-gallery/test/picture.js';
import { FilesController } from './files.controller.js';
import { startSwagger, type SwaggerApplication } from './swagger-application.js';

const PNG = pngPicture(8, 8);

let browser: Browser;
let folder: string;
let memory: MemoryStorage;
let running: SwaggerApplication;
let page: Page;
let elsewhere: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-swagger-'));
  await writeFile(join(folder, 'ada.png'), PNG);
  await writeFile(join(folder, 'grace.png'), PNG);
  await writeFile(join(folder, 'note.bin'), 'a note');
  memory = new MemoryStorage();
  running = await startSwagger(memory);
  browser = await launchChromium();
  // one page for all: each route has a block of its own, and Swagger UI takes seconds to start
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  elsewhere = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== running.url) elsewhere.push(request.url());
  });
  await page.goto(`${running.url}/api`);
}, 60_000);

beforeEach(async () => {
  await memory.deletePrefix('', { all: true });
});

afterAll(async () => {
  await browser.close();
  await running.app.close();
  await rm(folder, { recursive: true });
});

/** The block of one route, opened and ready to be tried. */
async function opened(operation: string): Promise<Locator> {
  const block = page.locator(`#operations-Files-FilesController_${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  return block;
}

/** Sends the request, and gives the status that Swagger UI shows. */
async function execute(block: Locator): Promise<number> {
  const clear = block.getByRole('button', { name: 'Clear' });
  // what the request before was answered with
  if (await clear.isVisible()) await clear.click();
  await block.getByRole('button', { name: 'Execute' }).click();
  return Number(await block.locator('.live-responses-table tbody .response-col_status').first().innerText());
}

async function stored(): Promise<{ readonly key: string; readonly text: string }[]> {
  const files: { key: string; text: string }[] = [];
  for await (const { key } of memory.list()) files.push({ key, text: (await memory.getBytes(key)).toString('latin1') });
  return files;
}

const bytes = PNG.toString('latin1');

describe('Swagger UI in Chromium', () => {
  it('uploads a picture with its text fields, shows the answer, and why another file is refused', async () => {
    const block = await opened('picture');
    const shown = block.locator('.live-responses-table .highlight-code').first();
    await block.locator('input[type=file]').setInputFiles(join(folder, 'ada.png'));
    await block.locator('tr', { hasText: 'caption' }).locator('input[type=text]').first().fill('Countess of Lovelace');
    expect(await execute(block)).toBe(201);
    const files = await stored();
    expect(files).toEqual([{ key: expect.stringMatching(/\.png$/) as unknown, text: bytes }]);
    expect(await shown.innerText()).toContain(files[0]?.key);
    expect(running.app.get(FilesController).captions).toEqual([
      expect.objectContaining({ caption: 'Countess of Lovelace' }),
    ]);

    await block.locator('input[type=file]').setInputFiles(join(folder, 'note.bin'));
    expect(await execute(block)).toBe(415);
    expect(await shown.innerText()).toContain('UNSUPPORTED_FILE_TYPE');
    expect(await stored()).toEqual(files);
  });

  it('uploads several files in one field', async () => {
    const block = await opened('album');
    for (const [index, name] of ['ada.png', 'grace.png'].entries()) {
      await block.getByRole('button', { name: /Add .*item/ }).click();
      await block.locator('input[type=file]').nth(index).setInputFiles(join(folder, name));
    }
    expect(await execute(block)).toBe(201);
    expect((await stored()).map(({ text }) => text)).toEqual([bytes, bytes]);
  });

  it('uploads a file as a raw body', async () => {
    const block = await opened('note');
    await block.locator('input[type=file]').setInputFiles(join(folder, 'note.bin'));
    expect(await execute(block)).toBe(200);
    expect(await stored()).toEqual([{ key: 'notes/note', text: 'a note' }]);
  });

  it('downloads a file and saves it, and shows a part of it with the headers of the answer', async () => {
    await memory.put('report.txt', 'abcdefgh', {
      contentDisposition: 'attachment; filename="report.txt"',
      contentType: 'application/x-report',
    });
    const block = await opened('download');
    await block.locator('tr[data-param-name=key] input').fill('report.txt');
    expect(await execute(block)).toBe(200);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      block.getByRole('link', { name: 'Download file' }).click(),
    ]);
    expect(await readFile(await download.path(), 'utf8')).toBe('abcdefgh');

    await block.locator('tr[data-param-name=Range] input').fill('bytes=2-4');
    expect(await execute(block)).toBe(206);
    const headers = await block.locator('.live-responses-table tbody').innerText();
    expect(headers).toContain('content-range: bytes 2-4/8');
  });

  it('asks nobody but the application: its script and its styles are those of node_modules', () => {
    expect(elsewhere).toEqual([]);
  });
});
