import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../../01-gallery/test/chromium.js';
import { eventually } from '../../01-gallery/test/eventually.js';
import { pngPicture } from '../../01-gallery/test/picture.js';
import type { Receipt } from '../src/receipt.js';
import { type RunningForm, startForm } from './running-form.js';

const MIB = 1024 * 1024;
const PDF = Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1');
const text = (words: string): Buffer => Buffer.from(words);

const PORTRAIT = ['Porträt – 写真.png', pngPicture(480, 600)] as const;
const LARGE = 'Zeugnisse (alle), 20 MiB.pdf';

/** What an applicant has: ten files whose names and sizes are as unlike as they come. */
const DOCUMENTS: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['résumé.pdf', Buffer.concat([PDF, text('Analytical engines, mostly.')])],
  [LARGE, largePdf(20 * MIB)],
  ['empty.txt', Buffer.alloc(0)],
  ['履歴書 🗂️.txt', text('数学者\n')],
  ['"quoted" and \'single\'.txt', text('quotes\n')],
  ['100% & plus+.txt', text('percent\n')],
  ['semi;colon; filename="x".txt', text('semicolon\n')],
  ['ελληνικά.txt', text('Ελλάδα\n')],
  ['<b>bold &amp; <i>.txt', text('not bold\n')],
  ['certificate.png', pngPicture(64, 48)],
];

const NAME = 'Ada "Countess" Lovelace <ada> – Ἄδα';
const FIELDS = ['London & Ποταμός', 'English', 'Français', '日本語'] as const;
const [CITY, ...LANGUAGES] = FIELDS;

let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'application-files-'));
  await Promise.all([PORTRAIT, ...DOCUMENTS].map(([name, bytes]) => writeFile(join(folder, name), bytes)));
  // neither its name nor the type that a browser gives it tells what it is
  await writeFile(join(folder, 'letter.pdf'), Buffer.from('PK\u0003\u0004\u0014\0\0\0\0\0', 'latin1'));
  await writeFile(join(folder, 'eleventh.txt'), 'One too many.\n');
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

describe.each(['express', 'fastify'] as const)('the application form on %s', (platform) => {
  describe.each([
    ['with its script', true],
    ['as plain HTML, without JavaScript', false],
  ])('%s', (_title, javaScriptEnabled) => {
    let form: RunningForm;
    let context: BrowserContext;
    let page: Page;
    let complaints: string[];

    beforeEach(async () => {
      form = await startForm(platform);
      context = await browser.newContext({ javaScriptEnabled, viewport: { width: 1000, height: 900 } });
      page = await context.newPage();
      page.setDefaultTimeout(20_000);
      complaints = [];
      // Also says what the Content-Security-Policy has blocked; an answer of 4xx is none of them.
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(form.url);
    });

    afterEach(async () => {
      await context.close();
      await form.stop();
      expect(complaints).toEqual([]);
    });

    const choose = (field: string, names: readonly string[]): Promise<void> =>
      page.locator(`input[name=${field}]`).setInputFiles(names.map((name) => join(folder, name)));

    async function fill(name: string = NAME, documents = DOCUMENTS.map(([each]) => each)): Promise<void> {
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('City').fill(CITY);
      for (const [index, language] of LANGUAGES.entries()) {
        await page.locator('input[name="languages[]"]').nth(index).fill(language);
      }
      await choose('portrait', [PORTRAIT[0]]);
      await choose('documents', documents);
    }

    /** Sends the form and gives the status of the answer, once it can be read. */
    async function send(): Promise<number> {
      const [answer] = await Promise.all([
        page.waitForResponse((response) => response.request().method() === 'POST'),
        page.getByRole('button', { name: 'Send application' }).click(),
      ]);
      await page.locator('#answer:visible').waitFor();
      return answer.status();
    }

    const answer = (): Promise<string> => page.locator('#answer').innerText();
    /** The server learns a little later that a client has gone. */
    const nothingLeft = (): Promise<string[]> => eventually(form.files, (files) => files.length === 0);

    it('stores ten documents, a portrait and the text fields', async () => {
      await fill();
      expect(await send()).toBe(201);
      expect(await page.getByRole('heading', { level: 2 }).innerText()).toBe(`Thank you, ${NAME}!`);
      expect(await answer()).toContain(`${CITY} · ${LANGUAGES.join(', ')}`);
      const told = await page
        .locator('#answer li')
        .evaluateAll<string[][], HTMLElement>((items) =>
          items.map((item) => Array.from((item as unknown as Shown).children, ({ textContent }) => textContent)),
        );
      expect(told).toEqual(
        [PORTRAIT, ...DOCUMENTS].map(([name, bytes]) => [
          name,
          `${bytes.length.toLocaleString('en')} bytes`,
          sha256(bytes),
        ]),
      );

      const [key = '', ...others] = await form.keys('applications');
      expect(others).toEqual([]);
      const receipt = JSON.parse((await form.storage('applications').getBytes(key)).toString()) as Receipt;
      expect(receipt).toMatchObject({ name: NAME, city: CITY, languages: LANGUAGES });

      // so a file that were left would be seen
      expect((await form.files()).length).toBeGreaterThanOrEqual(12);
      const [portrait, ...documents] = receipt.files;
      expect(await form.keys('portraits')).toEqual([portrait?.key]);
      expect(await form.keys('documents')).toEqual(documents.map((file) => file.key).sort());
      for (const [index, [name, bytes]] of [PORTRAIT, ...DOCUMENTS].entries()) {
        const { field = '', key: of = '' } = receipt.files[index] ?? {};
        const storage = form.storage(field === 'portrait' ? 'portraits' : 'documents');
        expect(await storage.info(of)).toMatchObject({ size: bytes.length, metadata: { name } });
        expect(sha256(await storage.getBytes(of))).toBe(sha256(bytes));
      }
    });

    it('takes an application without a portrait, and with one document', async () => {
      await fill(NAME, ['empty.txt']);
      await choose('portrait', []);
      await page.locator('input[name="languages[]"]').nth(2).fill('');
      expect(await send()).toBe(201);
      expect(await answer()).toContain('English, Français');
      expect([await form.keys('portraits'), await form.keys('documents')]).toEqual([
        [],
        [expect.stringMatching(/\.txt$/)],
      ]);
    });

    it.each([
      ['before the large one', 0],
      ['as the last', 9],
    ])('refuses a wrong type among ten, %s, says so, and stores nothing', async (_place, index) => {
      await fill(NAME, DOCUMENTS.map(([name]) => name).with(index, 'letter.pdf'));
      expect(await send()).toBe(415);
      expect(await answer()).toContain('One file is of a kind that is not taken: PDF, pictures and plain text are.');
      expect(await answer()).toContain('application/zip');
      expect(await answer()).toContain('UNSUPPORTED_FILE_TYPE');
      expect(await form.files()).toEqual([]);
    });

    it('refuses an eleventh document, says so, and stores nothing', async () => {
      await fill(NAME, [...DOCUMENTS.map(([name]) => name), 'eleventh.txt']);
      expect(await send()).toBe(400);
      expect(await answer()).toContain('Too many files: one portrait and up to ten documents.');
      expect(await answer()).toContain('LIMIT_UNEXPECTED_FILE');
      expect(await form.files()).toEqual([]);
    });

    it('removes all files again when the text fields are refused, and takes them when they are mended', async () => {
      await fill('   ');
      expect(await send()).toBe(400);
      expect(await answer()).toContain('The name is missing.');
      expect(await form.files()).toEqual([]);

      // as both answers promise, what was entered is still there
      if (!javaScriptEnabled) await page.goBack();
      expect(await page.getByLabel('City').inputValue()).toBe(CITY);
      await page.getByLabel('Name').fill(NAME);
      expect(await send()).toBe(201);
      expect(await form.keys('documents')).toHaveLength(10);
    });

    it('leaves nothing of an upload whose page is left in the middle', async () => {
      await fill();
      await startSlowly();
      await page.goto('about:blank');
      await nothingLeft();
    });

    if (javaScriptEnabled) {
      it('shows how far an upload is, and leaves nothing of one that is cancelled', async () => {
        await fill();
        await startSlowly();
        await eventually(
          () => page.evaluate<number>(`document.querySelector('#bar').value`),
          (value) => value > 0.1 && value < 1,
        );
        expect(await page.locator('#share').innerText()).toMatch(/^\d\d %$/);
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('heading', { name: 'Cancelled.' }).waitFor();
        await nothingLeft();
        expect(await page.locator('#sending').isVisible()).toBe(false);
        expect(await page.getByRole('button', { name: 'Send application' }).isEnabled()).toBe(true);
      });

      it('fits a phone', async () => {
        await page.setViewportSize({ width: 360, height: 740 });
        await fill('   ');
        await send();
        expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      });
    }

    /** Sends the form over a slow line, and comes back when the server has a part of it on its disk. */
    async function startSlowly(): Promise<void> {
      const devtools = await context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 2 * MIB,
      });
      await page.getByRole('button', { name: 'Send application' }).click({ noWaitAfter: true });
      await eventually(form.files, (files) => files.length > 0);
      expect(await form.keys('documents')).toEqual([]);
    }
  });
});

/** What the test reads of an element. */
interface Shown {
  readonly children: Iterable<{ readonly textContent: string }>;
}

/** No two blocks are the same. */
function largePdf(size: number): Buffer {
  const bytes = Buffer.alloc(size, 'Grade A in Mathematics. ');
  for (let at = 0; at < size; at += 4096) bytes.writeUInt32BE(at, at);
  PDF.copy(bytes);
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
