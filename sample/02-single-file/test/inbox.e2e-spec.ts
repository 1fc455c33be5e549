import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { eventually } from '../../01-gallery/test/eventually.js';
import type { InboxDocument } from '../src/document.js';
import { InboxProcess } from './inbox-process.js';
import { type RunningInbox, startInbox } from './running-inbox.js';

const MIB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

function formOf(documents: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>): FormData {
  const form = new FormData();
  for (const [name, data] of Object.entries(documents)) form.append('documents', new Blob([data]), name);
  return form;
}

async function upload(
  url: string,
  documents: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
  query: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const address = `${url}/api/documents?${new URLSearchParams(query).toString()}`;
  return answerOf(await fetch(address, { method: 'POST', body: formOf(documents) }));
}

async function search(url: string, query: Readonly<Record<string, string>> = {}): Promise<readonly InboxDocument[]> {
  const response = await fetch(`${url}/api/documents?${new URLSearchParams(query).toString()}`);
  return ((await response.json()) as { documents: InboxDocument[] }).documents;
}

const namesOf = (documents: readonly InboxDocument[]): string[] => documents.map(({ name }) => name);

describe('the inbox', () => {
  let inbox: RunningInbox;
  let url: string;

  beforeEach(async () => {
    inbox = await startInbox();
    ({ url } = inbox);
  });

  afterEach(() => inbox.stop());

  it.each([
    'Rechnung Müller 2026.pdf',
    '履歴書 🗂️.txt',
    '100% & plus+ #1? "quoted".txt',
    'semi;colon; filename="x".txt',
    '.hidden',
    'ελληνικά',
    `${'ü'.repeat(125)}.txt`,
  ])('keeps a document under its full name: %s', async (name) => {
    const data = randomBytes(300_000);
    expect(await upload(url, { [name]: data })).toEqual({ status: 201, body: [{ name, size: data.length }] });
    expect(namesOf(await search(url))).toEqual([name]);
    const response = await fetch(`${url}/api/documents/${encodeURIComponent(name)}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
    const disposition = response.headers.get('content-disposition') ?? '';
    expect(nameIn(disposition)).toBe(name);
    expect(disposition).toMatch(/^attachment/);
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('finds documents by the beginning of their names, in which nothing is a wildcard, whichever form "é" has', async () => {
    const names = ['100% sure.txt', '100_a.txt', '1000.txt', 'Re\u0301sume\u0301.pdf', 'Résultats.pdf', 'résumé.pdf'];
    await upload(url, Object.fromEntries(names.map((name) => [name, name])));
    const found = async (prefix: string): Promise<string[]> => namesOf(await search(url, { prefix }));
    expect(await found('100%')).toEqual(['100% sure.txt']);
    expect(await found('100_')).toEqual(['100_a.txt']);
    expect(await found('10')).toEqual(['100% sure.txt', '1000.txt', '100_a.txt']);
    expect(await found('Ré')).toEqual(['Résultats.pdf', 'Résumé.pdf']);
    expect(await found('Re\u0301')).toEqual(['Résultats.pdf', 'Résumé.pdf']);
    expect(await found('%')).toEqual([]);
  });

  it('finds documents by tag, and by both', async () => {
    await upload(url, { 'a.txt': 'a', 'b.txt': 'b' }, { tags: ' Invoice ,2026,,invoice' });
    await upload(url, { 'ab.txt': 'c' }, { tags: 'MÜNCHEN, 2026' });
    await upload(url, { 'none.txt': 'd' });
    expect(await search(url, { prefix: 'a.' })).toMatchObject([{ name: 'a.txt', tags: ['invoice', '2026'] }]);
    expect(namesOf(await search(url, { tag: '2026' }))).toEqual(['a.txt', 'ab.txt', 'b.txt']);
    expect(namesOf(await search(url, { tag: 'München' }))).toEqual(['ab.txt']);
    expect(namesOf(await search(url, { prefix: 'a', tag: 'invoice' }))).toEqual(['a.txt']);
    expect(namesOf(await search(url, { tag: '202' }))).toEqual([]);
  });

  it('lists many documents in pages, each of them once', async () => {
    const all = Array.from({ length: 120 }, (_, i) => `${String(i).padStart(3, '0')}.txt`);
    for (const name of all) await inbox.storage.put(name, name, { metadata: { tags: 'even' } });
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const query: string = new URLSearchParams({ tag: 'even', after: next }).toString();
      const page = (await (await fetch(`${url}/api/documents?${query}`)).json()) as {
        documents: InboxDocument[];
        next: string | null;
      };
      seen.push(...namesOf(page.documents));
      ({ next } = page);
    }
    expect(seen).toEqual(all);
  });

  it('replaces a document only where it was told to, and stores nothing of a form with a name that is taken', async () => {
    await upload(url, { 'a.txt': 'old' }, { tags: 'old' });
    const form = { 'b.txt': 'b', 'a.txt': 'new' };
    expect(await upload(url, form)).toMatchObject({ status: 409, body: { code: 'FILE_EXISTS' } });
    expect(await search(url)).toMatchObject([{ name: 'a.txt', size: 3, tags: ['old'] }]);
    expect((await upload(url, form, { replace: 'true', tags: 'new' })).status).toBe(201);
    expect(namesOf(await search(url, { tag: 'new' }))).toEqual(['a.txt', 'b.txt']);
    expect((await inbox.storage.getBytes('a.txt')).toString()).toBe('new');
  });

  it.each<[what: string, status: number, path: string, init: RequestInit]>([
    ['no form', 415, 'documents', { method: 'POST', body: 'x' }],
    ['no document', 400, 'documents', { method: 'POST', body: new FormData() }],
    ['a form that is cut short', 400, 'documents', { method: 'POST', body: '--x', headers: formType('x') }],
    ['too many tags', 400, `documents?tags=${'%C3%BC'.repeat(2000)}`, { method: 'POST', body: formOf({ a: 'a' }) }],
    ['two prefixes', 400, 'documents?prefix=a&prefix=b', {}],
    ['a document that is not there', 404, 'documents/nothing', {}],
    ['a document that is not there, to be deleted', 404, 'documents/nothing', { method: 'DELETE' }],
    ['a name that cannot be read', 400, 'documents/%E0%A4%A', {}],
    ['another site', 403, 'backup', { method: 'POST', headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['another origin', 403, 'documents/a', { method: 'DELETE', headers: { Origin: 'http://elsewhere.test' } }],
  ])('answers %s with %i', async (_what, status, path, init) => {
    expect((await answerOf(await fetch(`${url}/api/${path}`, init))).status).toBe(status);
    expect(await search(url)).toEqual([]);
  });

  it('gives a copy of itself while it is written to, which is an inbox of its own, whole and sound', async () => {
    const stored = new Map<string, Buffer>();
    for (const [i, size] of [0, 10, 60_000, 3 * MIB, 17 * MIB].entries()) {
      const [name, data] = [`Größe ${size}.bin`, randomBytes(size)];
      stored.set(name, data);
      expect((await upload(url, { [name]: data }, { tags: `no ${i}` })).status).toBe(201);
    }
    await upload(url, { 'deleted.bin': randomBytes(20 * MIB) });
    await fetch(`${url}/api/documents/deleted.bin`, { method: 'DELETE' });

    // put before, during and after the copy is made
    const written: string[] = [];
    const copied = new AbortController();
    const writing = (async () => {
      for (let i = 0; !copied.signal.aborted; i++) {
        await upload(url, { [`later ${i}`]: String(i).repeat(200_000) });
        written.push(`later ${i}`);
      }
    })();
    await eventually(
      () => Promise.resolve(written.length),
      (count) => count > 0,
    );
    const before = written.length;
    const response = await fetch(`${url}/api/backup`, { method: 'POST' });
    const file = Buffer.from(await response.arrayBuffer());
    copied.abort();
    await writing;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="inbox \d{4}-\d\d-\d\d.*\.db"/);

    const filename = join(inbox.folder, 'copy.db');
    await writeFile(filename, file);
    await using copy = new SQLiteStorage({ filename });
    expect(await copy.check()).toMatchObject({ ok: true, problems: [] });
    for (const [name, data] of stored) {
      expect((await copy.getBytes(name)).equals(data)).toBe(true);
      expect(await copy.info(name)).toEqual(await inbox.storage.info(name));
    }
    const later: string[] = [];
    for await (const { key } of copy.list('later ')) later.push(key);
    for (const name of later) {
      expect((await copy.getBytes(name)).equals(await inbox.storage.getBytes(name))).toBe(true);
    }
    // as of one moment, which was not before the copy was asked for
    expect(later.length).toBeGreaterThanOrEqual(before);
    expect(later.toSorted()).toEqual(written.slice(0, later.length).toSorted());
    expect(await copy.exists('deleted.bin')).toBe(false);
    // the room of what was deleted is not sent
    const bytes = [...stored.values()].reduce((sum, data) => sum + data.length, later.length * 400_000);
    expect(file.length).toBeLessThan(1.2 * bytes + 10 * MIB);
    expect(await temporaryBackups()).toEqual([]);
  });
});

describe('the inbox as a program', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'single-file-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('that is killed while it takes an upload has what it had, and nothing of the upload', async () => {
    const file = join(folder, 'inbox.db');
    const first = await InboxProcess.start(file);
    const data = randomBytes(2 * MIB);
    expect((await upload(first.url, { 'kept.bin': data }, { tags: 'kept' })).status).toBe(201);
    const sending = request(`${first.url}/api/documents`, { method: 'POST', headers: formType('b') });
    // it ends with the server, in the middle
    const brokenOff = new Promise((resolve) => sending.on('error', resolve));
    sending.write('--b\r\nContent-Disposition: form-data; name="documents"; filename="lost.bin"\r\n\r\n');
    sending.write(randomBytes(32 * MIB));
    const sizeOf = async (): Promise<number> => {
      const sizes = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
      return sizes.reduce((sum, { size }) => sum + size, 0);
    };
    // a part of it is in the database
    await eventually(sizeOf, (size) => size > 20 * MIB);
    await first.end('SIGKILL');
    await brokenOff;

    const second = await InboxProcess.start(file);
    expect(await search(second.url)).toMatchObject([{ name: 'kept.bin', size: data.length, tags: ['kept'] }]);
    expect((await upload(second.url, { 'lost.bin': 'again' })).status).toBe(201);
    const backup = await fetch(`${second.url}/api/backup`, { method: 'POST' });
    const copied = Buffer.from(await backup.arrayBuffer());
    expect(copied.length).toBeLessThan(4 * MIB);
    await second.end('SIGTERM');
    // one file, as its name says
    expect(await readdir(folder)).toEqual(['inbox.db']);

    await using storage = new SQLiteStorage({ filename: file });
    expect((await storage.getBytes('kept.bin')).equals(data)).toBe(true);
    expect(await storage.check()).toMatchObject({ ok: true, objects: 2 });
  });
});

function formType(boundary: string): Record<string, string> {
  return { 'Content-Type': `multipart/form-data; boundary=${boundary}` };
}

/** RFC 6266: in the extended form, quoted, or as it is. */
function nameIn(disposition: string): string | undefined {
  const [, extended] = /filename\*=UTF-8''([^;]+)$/.exec(disposition) ?? [];
  if (extended !== undefined) return decodeURIComponent(extended);
  const [, quoted, token] = /filename=(?:"((?:[^"\\]|\\.)*)"|([^;"]+))$/.exec(disposition) ?? [];
  return token ?? quoted?.replaceAll(/\\(.)/g, '$1');
}

async function temporaryBackups(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('inbox-backup-'));
}
