import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-storages';
import { PUBLIC, SigningApplication } from './signing-application.js';

const start = (setup: Partial<Parameters<typeof SigningApplication.start>[0]> = {}): Promise<SigningApplication> =>
  SigningApplication.start({ storages: { files: new MemoryStorage() }, ...setup });

describe('A request by a signed URL', () => {
  it.each(['100%', 'a%ff.txt'])('is refused where it spells the percent sign of the key %s as it is', async (key) => {
    await using app = await start();
    await app.storage('files').put(key, 'percent');
    const url = await app.storage('files').url(key);
    expect((await app.send(url)).status).toBe(200);
    const spelled = url.replace('%25', '%');
    expect(spelled).not.toBe(url);
    expect((await app.send(spelled)).status).toBe(403);
  });

  it('may name the server in its first line, as to a proxy (RFC 9112, section 3.2.2)', async () => {
    await using app = await start();
    const files = app.storage('files');
    const upload = await files.uploadUrl('a.json', { expiresIn: 60 });
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    const absolute = (url: string): string => `${PUBLIC}${url}`;
    const stored = await app.send(absolute(upload.url), {
      method: 'PUT',
      headers: upload.headers,
      body: '{ "not": json',
    });
    expect(stored.status).toBe(200);
    const answer = await app.send(absolute(await files.url('a.json')));
    expect([answer.status, answer.body.toString()]).toEqual([200, '{ "not": json']);
  });

  it('that sends a part of a file for the whole is refused (RFC 9110, section 14.5)', async () => {
    await using app = await start();
    await app.storage('files').put('a.txt', 'whole');
    const upload = await app.storage('files').uploadUrl('a.txt', { expiresIn: 60 });
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    const headers = { ...upload.headers, 'content-range': 'bytes 2-4/5' };
    expect((await app.send(upload.url, { method: 'PUT', headers, body: 'ole' })).status).toBe(400);
    expect((await app.storage('files').getBytes('a.txt')).toString()).toBe('whole');
  });

  it('is refused for a storage that is signed for no more', async () => {
    const storages = { files: new MemoryStorage(), inner: new MemoryStorage() };
    await using before = await start({ storages });
    const url = await before.storage('inner').url('a.txt');
    expect((await before.send(url)).status).toBe(404);
    await using after = await start({
      storages: { files: new MemoryStorage(), inner: new MemoryStorage() },
      serve: { storages: ['files'] },
    });
    expect((await after.send(url)).status).toBe(403);
  });

  it('that is good once leaves nothing that a cache would answer with', async () => {
    await using app = await start({
      storages: { files: new MemoryStorage(), marks: new MemoryStorage() },
      serve: { usedUrls: { storage: 'marks' } },
    });
    const files = app.storage('files');
    await files.put('a.txt', 'once', { cacheControl: 'public, max-age=31536000' });
    const url = await files.url('a.txt', { once: true });
    expect((await app.send(url)).headers['cache-control']).toBe('private, no-store');
  });

  it('shows no file that a browser might run, whatever disposition was signed', async () => {
    await using app = await start();
    const files = app.storage('files');
    await files.put('page.html', '<script>');
    for (const [disposition, sent] of [
      ['filename="page.html"', 'attachment'],
      ['inline ; filename="page.html"', 'attachment ; filename="page.html"'],
      ['INLINE', 'attachment'],
      ['attachment; filename="other.html"', 'attachment; filename="other.html"'],
    ] as const) {
      const { headers } = await app.send(await files.url('page.html', { disposition }));
      expect(headers['content-disposition']).toBe(sent);
    }
  });
});

describe('Notes of used URLs', () => {
  it('lie apart from files of the application in the same storage, which stay', async () => {
    const files = new MemoryStorage();
    await using app = await start({ storages: { files }, serve: { usedUrls: { storage: 'files' } } });
    await files.put('2024/report.txt', 'of the application');
    await files.put('used-urls/1/note', '');
    const removed = new Promise<void>((resolve) => {
      const { deletePrefix } = files;
      files.deletePrefix = async (...args) => {
        const report = await deletePrefix.apply(files, args);
        resolve();
        return report;
      };
    });
    expect((await app.send(await files.url('2024/report.txt', { once: true }))).status).toBe(200);
    await removed;
    expect(await files.exists('2024/report.txt')).toBe(true);
    expect(await files.exists('used-urls/1/note')).toBe(false);
  });
});
