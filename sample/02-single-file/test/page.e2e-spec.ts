import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { launchChromium } from '../../01-gallery/test/chromium.js';
import { eventually } from '../../01-gallery/test/eventually.js';
import { type RunningInbox, startInbox } from './running-inbox.js';

const SCREENSHOTS = fileURLToPath(new URL('./screenshots/', import.meta.url));
const LETTER = 'Brief an Frau Müller – 信.txt';
const SCRIPT = '<img src=x onerror=alert(1)>.html';
const LARGE = 'scan.bin';

describe('the page of the inbox in Chromium', () => {
  let files: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let inbox: RunningInbox;
  let complaints: string[];

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'inbox-files-'));
    await mkdir(SCREENSHOTS, { recursive: true });
    await writeFile(join(files, LETTER), 'Sehr geehrte Frau Müller\n');
    await writeFile(join(files, LARGE), Buffer.alloc(20 * 1024 * 1024, 'scan '));
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await rm(files, { recursive: true });
  });

  beforeEach(async () => {
    inbox = await startInbox();
    context = await browser.newContext({ viewport: { width: 1000, height: 900 }, acceptDownloads: true });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    complaints = [];
    // Also says what the Content-Security-Policy has blocked; an answer of 4xx is none of them.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(inbox.url);
  });

  afterEach(async () => {
    await context.close();
    await inbox.stop();
    expect(complaints).toEqual([]);
  });

  const row = (name: string): Locator => page.locator('#documents > li').filter({ hasText: name });
  const names = (): Promise<string[]> => page.locator('#documents .name').allInnerTexts();
  const shows = (...expected: string[]): Promise<string[]> =>
    eventually(names, (seen) => JSON.stringify(seen) === JSON.stringify(expected));
  const notice = (text: string): Promise<void> => page.locator('#notice').getByText(text).waitFor();
  const screenshot = (name: string): Promise<Buffer> => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });

  async function add(tags: string, ...chosen: string[]): Promise<void> {
    await page.locator('#files').setInputFiles(chosen.map((name) => join(files, name)));
    await page.getByLabel('Tags').fill(tags);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
  }

  it('takes documents with tags, and finds them by the beginning of a name and by tag', async () => {
    await page.getByText('Nothing here.').waitFor();
    await add('Post, 2026', LETTER, LARGE);
    await notice('2 documents are in the inbox.');
    await shows(LETTER, LARGE);
    expect(await row(LETTER).locator('.tags button').allInnerTexts()).toEqual(['post', '2026']);
    expect(await page.getByLabel('Tags').inputValue()).toBe('');

    await page.getByLabel('Names that begin with').pressSequentially('Brief an Frau Mü');
    await shows(LETTER);
    await page.getByLabel('Names that begin with').fill('brief');
    await shows();
    await page.getByText('Nothing here.').waitFor();
    await page.getByLabel('Names that begin with').fill('');
    await inbox.storage.put('untagged.txt', 'x');
    await page.getByRole('button', { name: 'Show documents with the tag 2026' }).first().click();
    expect(await page.getByLabel('Tag', { exact: true }).inputValue()).toBe('2026');
    await shows(LETTER, LARGE);
  });

  it('downloads a document under its own name, and the whole inbox as one file', async () => {
    await add('post', LETTER);
    const [letter] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: LETTER }).click(),
    ]);
    expect(letter.suggestedFilename()).toBe(LETTER);
    expect(await readFile(await letter.path())).toEqual(await readFile(join(files, LETTER)));

    const [backup] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download a backup' }).click(),
    ]);
    expect(backup.suggestedFilename()).toMatch(/^inbox .*\.db$/);
    const filename = join(inbox.folder, 'backup.db');
    await backup.saveAs(filename);
    await using copy = new SQLiteStorage({ filename });
    expect(await copy.check()).toMatchObject({ ok: true, objects: 1 });
    expect(await copy.getBytes(LETTER)).toEqual(await readFile(join(files, LETTER)));
  });

  it('says that a name is taken, and replaces the document when it is told to', async () => {
    await inbox.storage.put(LETTER, 'older');
    await add('', LETTER, LARGE);
    await notice('There is a document of that name already, and it may not be replaced. Nothing was added.');
    expect(await inbox.storage.exists(LARGE)).toBe(false);
    await page.getByLabel('Replace documents').check();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await notice('2 documents are in the inbox.');
    expect((await inbox.storage.getBytes(LETTER)).toString()).toBe('Sehr geehrte Frau Müller\n');
  });

  it('shows how far an upload is, and stores nothing of one that is cancelled', async () => {
    const devtools = await context.newCDPSession(page);
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 2 * 1024 * 1024,
    });
    await add('', LARGE);
    await eventually(
      () => page.evaluate<number>(`document.querySelector('#bar').value`),
      (value) => value > 0.1 && value < 1,
    );
    await page.getByRole('button', { name: 'Cancel' }).click();
    await notice('Cancelled. Nothing was added.');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('notice');
    expect(await inbox.storage.exists(LARGE)).toBe(false);
  });

  it('asks before it deletes, and goes on at the neighbour', async () => {
    await inbox.storage.put('a.txt', 'a');
    await inbox.storage.put('b.txt', 'b');
    await page.reload();
    const asked: string[] = [];
    let answer = false;
    page.on('dialog', (dialog) => {
      asked.push(dialog.message());
      void (answer ? dialog.accept() : dialog.dismiss());
    });
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    expect(await inbox.storage.exists('a.txt')).toBe(true);
    answer = true;
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await notice('a.txt is deleted.');
    expect(asked).toEqual(['Delete a.txt? There is no undo.', 'Delete a.txt? There is no undo.']);
    expect(await page.evaluate<string>('document.activeElement.ariaLabel')).toBe('Delete b.txt');
    await shows('b.txt');
    expect(await inbox.storage.exists('a.txt')).toBe(false);
  });

  it('shows what strangers wrote as text, page after page, on a phone and in the dark too', async () => {
    await inbox.storage.put(SCRIPT, '<script>alert(1)</script>', { metadata: { tags: '<b>bold</b>' } });
    await inbox.storage.put(`${'long'.repeat(60)}.txt`, 'x', { metadata: { tags: 'tag'.repeat(60) } });
    for (let i = 0; i < 60; i++) await inbox.storage.put(`z${String(i).padStart(2, '0')}.txt`, 'z');
    await page.reload();
    await row(SCRIPT).waitFor();
    expect(await page.locator('#documents img, #documents b').count()).toBe(0);
    await page.getByRole('button', { name: 'Show more' }).click();
    await eventually(names, (seen) => seen.length === 62);
    expect(new Set(await names()).size).toBe(62);
    await screenshot('desktop');

    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByLabel('Names that begin with').fill('<');
    await shows(SCRIPT);
    await page.getByLabel('Names that begin with').fill('l');
    await shows(`${'long'.repeat(60)}.txt`);
    await screenshot('phone-dark');
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    for (const target of await page.locator('button:visible, a:visible, input:not([type=checkbox]):visible').all()) {
      expect((await target.boundingBox())?.height ?? 0).toBeGreaterThanOrEqual(44);
    }
  });
});
