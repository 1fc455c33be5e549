import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

const SCREENSHOTS = fileURLToPath(new URL('./screenshots/', import.meta.url));

/** Keeps every value that a progress bar was given, from the first on. */
const WATCH_BARS = `
  window.barValues = [];
  new MutationObserver((records) => {
    for (const { target } of records) {
      if (target.localName === 'progress' && target.hasAttribute('value')) window.barValues.push(target.value);
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['value'] });
`;

/** A tab in a browser of its own, as a visitor has it. */
export class GalleryPage {
  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    /** What the page has written to the console as an error; also what the Content-Security-Policy has blocked. */
    readonly complaints: string[],
  ) {}

  static async open(browser: Browser): Promise<GalleryPage> {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.addInitScript(WATCH_BARS);
    return new GalleryPage(context, page, complaints);
  }

  card(name: string): Locator {
    return this.page.locator('#files > li').filter({ hasText: name });
  }

  screenshot(name: string): Promise<Buffer> {
    return this.page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  }

  /** Waits for an expression in the page. (waitForFunction() would need eval(), which the page's policy forbids.) */
  comesTrue(expression: string): Promise<boolean> {
    return eventually(
      () => this.page.evaluate<boolean>(expression),
      (seen) => seen,
    );
  }

  /** Bytes a second that the browser may send; -1 is as fast as it goes. */
  async limitUpload(uploadThroughput: number): Promise<void> {
    const devtools = await this.context.newCDPSession(this.page);
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    });
  }
}
