import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../01-gallery/test/eventually.js';
import { pngPicture } from '../../01-gallery/test/picture.js';
import type { DocumentItem, DocumentPage, ShareLink } from '../src/documents/documents.dto.js';
import { formOf } from './form-of.js';
import {
  type Answer,
  type Asked,
  FILE_BYTES,
  type RunningService,
  secondKeyOf,
  startService,
  type TestTenant,
  TOTAL_BYTES,
} from './running-service.js';
import { zipNames } from './zip-names.js';

const KIB = 1024;
const PDF = Buffer.concat([Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1'), randomBytes(20 * KIB)]);

describe.each(['express', 'fastify'])('the document service on %s', (platform) => {
  let service: RunningService;
  let tenant: TestTenant;

  beforeAll(async () => {
    service = await startService(platform);
  });

  afterAll(() => service.stop());

  beforeEach(async () => {
    tenant = await service.newTenant();
  });

  const ask = (path: string, asked?: Asked): Promise<Answer> => service.ask(path, { key: tenant.key, ...asked });
  const newFiles = (): Promise<string[]> => service.newFiles();

  const upload = (files: Parameters<typeof formOf>[0], query = ''): Promise<Answer> =>
    ask(`/documents${query}`, { body: formOf(files) });
  const page = async (query = ''): Promise<DocumentPage> => (await ask(`/documents${query}`)).body as DocumentPage;

  it('stores several documents of one form, and gives each back', async () => {
    const picture = pngPicture(20, 10);
    const sent = {
      'lease.pdf': PDF,
      'Übersicht – 写真.png': picture,
      '100% & "plus+".txt': 'percent\n',
      'empty.txt': '',
    };
    const { status, body } = await upload(sent, '?folder=contracts/2026');
    expect(status).toBe(201);
    expect((body as DocumentItem[]).map(({ path, contentType }) => [path, contentType])).toEqual([
      ['contracts/2026/lease.pdf', 'application/pdf'],
      ['contracts/2026/Übersicht – 写真.png', 'image/png'],
      ['contracts/2026/100% & "plus+".txt', 'text/plain'],
      ['contracts/2026/empty.txt', 'text/plain'],
    ]);
    expect((await page('?folder=contracts/2026')).documents).toEqual(
      (body as DocumentItem[]).toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
    );
    for (const [name, data] of Object.entries(sent)) {
      const answer = await ask(`/documents/${encodeURIComponent(`contracts/2026/${name}`)}`);
      expect([answer.status, answer.bytes.equals(Buffer.from(data))]).toEqual([200, true]);
    }
    expect((await ask('/usage')).body).toEqual({
      documents: 4,
      usedBytes: PDF.length + picture.length + 8,
      totalBytes: TOTAL_BYTES,
    });
  });

  it('gives ranges and knows versions', async () => {
    await upload({ 'lease.pdf': PDF });
    const part = await ask('/documents/lease.pdf', { headers: { range: 'bytes=5-8' } });
    expect([part.status, part.bytes.equals(PDF.subarray(5, 9))]).toEqual([206, true]);
    const beyond = await ask('/documents/lease.pdf', { headers: { range: 'bytes=99999-' } });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, `bytes */${PDF.length}`]);
    const known = await ask('/documents/lease.pdf', { headers: { 'if-none-match': part.headers.etag ?? '' } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    const head = await ask('/documents/lease.pdf', { method: 'HEAD' });
    expect([head.status, head.headers['content-length']]).toEqual([200, String(PDF.length)]);
    // what a stranger sent does not run here
    expect(head.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'content-type': 'application/pdf' });
    expect(head.headers['content-disposition']).toBe('attachment; filename=lease.pdf');
  });

  it('shows folders level by level and page by page, each entry once', async () => {
    for (const name of ['a/1', 'a/2', 'b', 'c', 'd', 'd/deep/est', 'e/1']) {
      const [parent, base = name] = name.includes('/')
        ? [name.slice(0, name.lastIndexOf('/')), name.slice(name.lastIndexOf('/') + 1)]
        : [];
      expect((await upload({ [base]: name }, parent === undefined ? '' : `?folder=${parent}`)).status).toBe(201);
    }
    const shown: string[] = [];
    let next: string | null = '';
    for (let pages = 0; next !== null; pages++) {
      expect(pages).toBeLessThan(10);
      const query: string = next === '' ? '?limit=2' : `?limit=2&after=${encodeURIComponent(next)}`;
      const one: DocumentPage = await page(query);
      expect(one.folders.length + one.documents.length).toBeLessThanOrEqual(2);
      shown.push(...one.folders.map((each) => `${each}/`), ...one.documents.map(({ path }) => path));
      ({ next } = one);
    }
    expect(shown.toSorted()).toEqual(['a/', 'b', 'c', 'd', 'd/', 'e/']);
    expect(await page('?folder=d')).toEqual({ folders: ['d/deep'], documents: [], next: null });
    expect(zipNames((await ask('/archive?folder=d')).bytes)).toEqual(['d/deep/est']);
    // on a disk a file and a folder cannot have one name
    expect(zipNames((await ask('/archive')).bytes)).toEqual(['a/1', 'a/2', 'b', 'c', 'd', 'd (2)/deep/est', 'e/1']);
  });

  it('moves a document, never over another, and deletes it once', async () => {
    await upload({ 'a.txt': 'a', 'b.txt': 'b' });
    const to = (path: string): Asked => ({ method: 'PATCH', body: { path } });
    expect((await ask('/documents/a.txt', to('b.txt'))).status).toBe(409);
    expect((await ask('/documents/a.txt', to('old/a.txt'))).body).toMatchObject({ path: 'old/a.txt', size: 1 });
    expect((await ask('/documents/a.txt', to('c.txt'))).status).toBe(404);
    expect((await ask('/documents/b.txt')).bytes.toString()).toBe('b');
    expect((await ask('/documents/old%2Fa.txt', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/documents/old%2Fa.txt', { method: 'DELETE' })).status).toBe(404);
  });

  it.each<[what: string, status: number, code: string | undefined, asked: Asked, query?: string]>([
    ['no form', 415, 'UNSUPPORTED_MEDIA_TYPE', { body: { files: 'a' } }],
    ['a form without a document', 400, 'MISSING_FILE', { body: new FormData() }],
    [
      'a program',
      415,
      'UNSUPPORTED_FILE_TYPE',
      { body: formOf({ 'a.txt': 'a', 'b.pdf': '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0' }) },
    ],
    [
      'a page with a script',
      415,
      'UNSUPPORTED_FILE_TYPE',
      { body: formOf({ 'a.txt': '<!doctype html><script>1</script>\0' }) },
    ],
    [
      'eleven documents',
      400,
      'LIMIT_UNEXPECTED_FILE',
      { body: formOf(Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`${i}.txt`, 'a']))) },
    ],
    ['two of one name', 409, 'FILE_EXISTS', { body: twice('a.txt') }],
    [
      'one that is too large',
      413,
      'LIMIT_FILE_SIZE',
      { body: formOf({ 'a.txt': 'a', 'b.txt': 'b'.repeat(FILE_BYTES + 1) }) },
    ],
    [
      'more than there is room for',
      413,
      'LIMIT_TOTAL_SIZE',
      { body: formOf({ 'a.txt': 'a'.repeat(FILE_BYTES), 'b.txt': 'b'.repeat(FILE_BYTES) }) },
    ],
    ['one without a name', 400, undefined, { body: formOf({ '..': 'a' }) }],
    ['another field', 400, 'LIMIT_UNEXPECTED_FILE', { body: otherField() }],
    [
      'a form that is cut short',
      400,
      undefined,
      { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
    ],
    ['a folder that climbs', 400, undefined, { body: formOf({ 'a.txt': 'a' }) }, '?folder=a/../..'],
    ['an argument that there is not', 400, undefined, { body: formOf({ 'a.txt': 'a' }) }, '?fodler=a'],
  ])('answers %s with %i, and stores nothing', async (_what, status, code, asked, query = '') => {
    const answer = await ask(`/documents${query}`, asked);
    expect([answer.status, answer.body]).toEqual([status, expect.objectContaining({ statusCode: status })]);
    if (code !== undefined) expect(answer.body).toMatchObject({ code });
    expect(await newFiles()).toEqual([]);
  });

  it('lets no uploads that come together exceed what the tenant may have', async () => {
    const data = 'x'.repeat(60 * KIB);
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => upload({ [name]: data })));
    for (const { status } of answers) expect([201, 413]).toContain(status);
    const { usedBytes } = (await ask('/usage')).body as { usedBytes: number };
    expect(usedBytes).toBe(answers.filter(({ status }) => status === 201).length * data.length);
    expect(usedBytes).toBeLessThanOrEqual(TOTAL_BYTES);
    // and what is left of the room can be used
    expect((await upload({ last: 'x'.repeat(20 * KIB) })).status).toBe(201);
  });

  it('keeps nothing of an upload whose client is killed, and goes on', async () => {
    const { hostname, port } = new URL(service.url);
    const boundary = 'b';
    const headers = {
      authorization: `Bearer ${tenant.key}`,
      'content-type': `multipart/form-data; boundary=${boundary}`,
    };
    const sent = request({ hostname, port, path: '/documents', method: 'POST', headers });
    const gone = new Promise((resolve) => sent.once('error', resolve));
    const part = (name: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n`;
    sent.write(`${part('whole.txt')}whole\r\n${part('half.txt')}${'half '.repeat(4000)}`);
    await eventually(newFiles, (left) => left.length > 0);
    expect(await page()).toEqual({ folders: [], documents: [], next: null });
    sent.destroy(new Error('killed'));
    await gone;
    await eventually(newFiles, (left) => left.length === 0);
    expect((await upload({ 'whole.txt': 'again' })).status).toBe(201);
  });

  it('shares a document for as long as was asked, and no more than seven days', async () => {
    await upload({ 'lease.pdf': PDF });
    const before = Date.now();
    const { status, body } = await ask('/documents/lease.pdf/share', { body: { expiresIn: 600 } });
    const { url, expiresAt } = body as ShareLink;
    expect(status).toBe(201);
    expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(600_000);
    const { pathname, search } = new URL(url);
    const shared = await service.ask(`${pathname}${search}`);
    expect([shared.status, shared.bytes.equals(PDF)]).toEqual([200, true]);
    expect(shared.headers['content-disposition']).toMatch(/^attachment/);
    for (const expiresIn of [0, -1, 1.5, '600', 7 * 24 * 3600 + 1, null]) {
      expect((await ask('/documents/lease.pdf/share', { body: { expiresIn } })).status).toBe(400);
    }
    expect((await ask('/documents/nothing.pdf/share', { body: {} })).status).toBe(404);
  });

  it('reports what there is, in no formula of a spreadsheet, and keeps the newest twenty', async () => {
    await upload({ '=HYPERLINK("http:∕∕x")': 'a', 'b, c.txt': 'bc' });
    const { body } = await ask('/reports', { method: 'POST' });
    const report = await ask(`/reports/${(body as DocumentItem).path}`);
    expect(report.headers['content-type']).toBe('text/csv');
    expect(
      report.bytes
        .toString()
        .split('\r\n')
        .map((line) => line.replace(/,[^,]*$/, '')),
    ).toEqual(['path,bytes,type', `"'=HYPERLINK(""http:∕∕x"")",1,text/plain`, '"b, c.txt",2,text/plain', '']);
    for (let more = 0; more < 21; more++) await ask('/reports', { method: 'POST' });
    const reports = (await ask('/reports')).body as DocumentItem[];
    expect(reports).toHaveLength(20);
    expect((await ask(`/reports/${(body as DocumentItem).path}`)).status).toBe(404);
  });

  it('takes each key of a tenant', async () => {
    await upload({ 'a.txt': 'a' });
    const answer = await service.ask('/documents/a.txt', { key: secondKeyOf(tenant.id) });
    expect(answer.bytes.toString()).toBe('a');
  });
});

function twice(name: string): FormData {
  const form = formOf({ [name]: 'a' });
  form.append('files', new Blob(['b'], { type: 'text/plain' }), name);
  return form;
}

function otherField(): FormData {
  const form = new FormData();
  form.append('file', new Blob(['a']), 'a.txt');
  return form;
}
