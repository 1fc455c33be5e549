import { describe, expect, it } from '@jest/globals';
import { defineCapabilities, MemoryStorage, type ResolvedUrlOptions } from 'nestjs-storages';
import { DownloadApplication } from './download-application.js';

/** Tells in its URLs what it was asked to sign. */
class SigningStorage extends MemoryStorage {
  override readonly capabilities = defineCapabilities({ urls: 'signed' });

  protected override _url(key: string, options?: ResolvedUrlOptions): Promise<string> {
    const query = new URLSearchParams();
    for (const name of ['expiresIn', 'disposition', 'contentType'] as const) query.set(name, String(options?.[name]));
    return Promise.resolve(`https://bucket.example/${key}?${query.toString()}`);
  }
}

describe('An answer that sends the client to the storage itself', () => {
  it('has a signed URL, which nobody keeps, and which shows nothing that would not be shown here', async () => {
    const storage = new SigningStorage();
    await using app = await DownloadApplication.start(storage);
    await storage.put('photo.png', 'png');
    await storage.put('page.html', '<p>');
    app.options = { redirect: 'signed' };
    const { status, headers, body } = await app.get('photo.png');
    expect([status, body.length, headers['cache-control']]).toEqual([302, 0, 'private, no-store']);
    const url = new URL(headers.location ?? '');
    expect([url.pathname, url.searchParams.get('expiresIn')]).toEqual(['/photo.png', '300']);
    expect(url.searchParams.get('disposition')).toBe('inline; filename=photo.png');

    app.options = { redirect: { expiresIn: 60 }, disposition: 'inline', contentType: 'text/html' };
    const page = new URL((await app.get('page.html')).headers.location ?? '');
    expect(Object.fromEntries(page.searchParams)).toEqual({
      expiresIn: '60',
      disposition: 'attachment; filename=page.html',
      contentType: 'text/html',
    });
    expect((await app.get('none')).status).toBe(404);
  });

  it('is refused where the storage signs nothing, in words for the log alone', async () => {
    const storage = new MemoryStorage();
    await using app = await DownloadApplication.start(storage);
    await storage.put('photo.png', 'png');
    app.options = { redirect: 'signed' };
    const { status, body } = await app.get('photo.png');
    expect(status).toBe(500);
    expect(String(body)).not.toContain('redirect');
  });
});
