import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { STORAGE_OPERATIONS, type TracedOperation } from 'nestjs-storages';
import type { DocumentItem } from '../src/documents/documents.dto.js';
import { formOf } from './form-of.js';
import { type Answer, type Asked, type RunningService, startService, type TestTenant } from './running-service.js';
import { zipNames } from './zip-names.js';

const SECRET = 'the terms of the other\n';
const PATH = 'contracts/lease.txt';

/** Ways to say `t0/contracts/lease.txt`, which is another's, to whoever looks at keys with less care. `%2F` and `%5C` are decoded by the platform. */
const ELSEWHERE = [
  'contracts%2Flease.txt',
  't0%2Fcontracts%2Flease.txt',
  '..%2Ft0%2Fcontracts%2Flease.txt',
  '%2E%2E%2Ft0%2Fcontracts%2Flease.txt',
  '..%5Ct0%5Ccontracts%5Clease.txt',
  '..%2F..%2Fdocuments%2Ft0%2Fcontracts%2Flease.txt',
  'x%2F..%2F..%2Ft0%2Fcontracts%2Flease.txt',
  '%2Fdocuments%2Ft0%2Fcontracts%2Flease.txt',
  '.%2F..%2Ft0%2Fcontracts%2Flease.txt',
  '..%2F%2Ft0%2Fcontracts%2Flease.txt',
  '..%252Ft0%252Fcontracts%252Flease.txt',
];

/** Spellings that are no path of a document: they are refused by the router or by us, and by nothing that depends on what is stored. */
const NO_PATHS = ['../t0/contracts/lease.txt', '..%00%2Ft0', '%ff', '..', '.', '%2F', 'a%2F', 'x'.repeat(901)];

describe.each(['express', 'fastify'])('a tenant of the document service on %s', (platform) => {
  let service: RunningService;
  /** Has one document, which nothing here changes. */
  let other: TestTenant;
  /** Asks for it. */
  let own: TestTenant;

  beforeAll(async () => {
    service = await startService(platform);
    other = await service.newTenant();
    const asked = { key: other.key, body: formOf({ 'lease.txt': SECRET }) };
    expect([other.id, (await ask('/documents?folder=contracts', asked)).status]).toEqual(['t0', 201]);
  });

  afterAll(() => service.stop());

  beforeEach(async () => {
    own = await service.newTenant();
  });

  afterEach(async () => {
    const { status, bytes } = await ask('/documents/contracts%2Flease.txt', { key: other.key });
    expect([status, bytes.toString()]).toEqual([200, SECRET]);
    expect((await ask('/usage', { key: other.key })).body).toMatchObject({ documents: 1 });
  });

  const ask = (path: string, asked?: Asked): Promise<Answer> => service.ask(path, asked);

  it('is asked for a key on every route, with one answer for none and for a wrong one', async () => {
    const routes: [path: string, asked: Asked][] = [
      ['/documents', {}],
      ['/documents', { body: formOf({ 'a.txt': 'a' }) }],
      ['/documents/contracts%2Flease.txt', {}],
      ['/documents/contracts%2Flease.txt', { method: 'PATCH', body: { path: 'b.txt' } }],
      ['/documents/contracts%2Flease.txt', { method: 'DELETE' }],
      ['/documents/contracts%2Flease.txt/share', { body: {} }],
      ['/archive', {}],
      ['/usage', {}],
      ['/reports', { method: 'POST' }],
      ['/reports', {}],
      ['/reports/a', {}],
      ['/reports/a', { method: 'DELETE' }],
    ];
    const { key } = other;
    for (const [path, asked] of routes) {
      const none = await ask(path, asked);
      expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      for (const authorization of ['Bearer nobody', 'Bearer', `Basic ${key}`, `Bearer ${key} ${key}`, key]) {
        const wrong = await ask(path, { ...asked, headers: { authorization } });
        expect([wrong.status, wrong.body]).toEqual([401, none.body]);
      }
    }
  });

  it('gets the same answer for what another has as for what nobody has, by every spelling', async () => {
    const askBy = (path: string): Promise<Answer>[] => [
      ask(`/documents/${path}`, { key: own.key }),
      ask(`/documents/${path}`, { key: own.key, method: 'DELETE' }),
      ask(`/documents/${path}`, { key: own.key, method: 'PATCH', body: { path: 'mine.txt' } }),
      ask(`/documents/${path}/share`, { key: own.key, body: { expiresIn: 60 } }),
      ask(`/reports/${path}`, { key: own.key }),
    ];
    for (const path of ELSEWHERE) {
      const nobodys = path.replace('lease', 'nobody');
      const [answers, expected] = await Promise.all([Promise.all(askBy(path)), Promise.all(askBy(nobodys))]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
      expect(answers.map(said)).toEqual(expected.map((answer) => said(answer).replace('nobody', 'lease')));
    }
    for (const path of NO_PATHS) {
      for (const { status } of await Promise.all(askBy(path))) expect([400, 404, 414]).toContain(status);
    }
  });

  it('reaches no key outside of its own prefix, so that not even the time of an answer tells of others', async () => {
    const reached: string[] = [];
    const note = (message: unknown): void => {
      const { storage, key } = message as TracedOperation;
      if ((storage === 'files' || storage === 'derived') && key !== undefined) reached.push(key);
    };
    subscribe(`tracing:${STORAGE_OPERATIONS}:start`, note);
    try {
      for (const path of [...ELSEWHERE, ...NO_PATHS]) {
        await ask(`/documents/${path}`, { key: own.key });
        await ask(`/documents/${path}/share`, { key: own.key, body: {} });
        await ask(`/reports/${path}`, { key: own.key });
        await ask(`/documents?folder=${path}`, { key: own.key, body: formOf({ 'lease.txt': 'forged' }) });
      }
      await ask('/reports', { key: own.key, method: 'POST' });
    } finally {
      unsubscribe(`tracing:${STORAGE_OPERATIONS}:start`, note);
    }
    expect(reached.length).toBeGreaterThan(10);
    expect(reached.filter((key) => !/^(?:documents|reports)\/./.test(key) || key.split('/')[1] !== own.id)).toEqual([]);
  });

  it.each([
    ['of the path', { folder: '..%2Ft0%2Fcontracts' }, 'lease.txt'],
    ['of the path, encoded twice', { folder: '..%252Ft0%252Fcontracts' }, 'lease.txt'],
    ['of the name', {}, '../t0/contracts/lease.txt'],
    ['of the name, with backslashes', {}, '..\\t0\\contracts\\lease.txt'],
    ['of two folders', { folder: 'x&folder=../t0/contracts' }, 'lease.txt'],
  ])('stores nothing with another by way %s', async (_way, { folder }: { folder?: string }, name) => {
    const path = folder === undefined ? '/documents' : `/documents?folder=${folder}`;
    const { status, body } = await ask(path, { key: own.key, body: formOf({ [name]: 'forged' }) });
    // a name is a base name, whatever stands before it; a folder that climbs is none
    if (status === 201) {
      for (const item of body as DocumentItem[]) expect(item.path).not.toMatch(/t0\/|\.\.\//);
    } else expect(status).toBe(400);
  });

  it('moves nothing to another', async () => {
    await ask('/documents', { key: own.key, body: formOf({ 'mine.txt': 'mine' }) });
    for (const path of ['../t0/mine.txt', '/t0/mine.txt', '..\\t0\\mine.txt', 'x/../../t0/mine.txt', '..', '']) {
      const { status } = await ask('/documents/mine.txt', { key: own.key, method: 'PATCH', body: { path } });
      expect([path, status]).toEqual([path, 400]);
    }
    for (const body of [{}, { path: 1 }, { path: ['a'] }, { path: 'a', tenant: 't0' }, []]) {
      expect((await ask('/documents/mine.txt', { key: own.key, method: 'PATCH', body })).status).toBe(400);
    }
    expect((await ask('/documents/mine.txt', { key: own.key })).bytes.toString()).toBe('mine');
  });

  it('lists, counts, packs and reports its own documents alone', async () => {
    const nothing = { folders: [], documents: [], next: null };
    const prefixes = ['', '?folder=t0', '?folder=contracts', '?after=..%2Ft0', '?after=', '?after=%00', '?limit=200'];
    for (const query of prefixes) {
      expect((await ask(`/documents${query}`, { key: own.key })).body).toEqual(nothing);
    }
    for (const query of [
      '?folder=..',
      '?folder=..%2Ft0',
      '?folder=%2Ft0',
      '?folder=',
      '?folder=a&folder=b',
      '?tenant=t0',
    ]) {
      expect((await ask(`/documents${query}`, { key: own.key })).status).toBe(400);
      expect((await ask(`/archive${query}`, { key: own.key })).status).toBe(400);
    }
    expect(zipNames((await ask('/archive', { key: own.key })).bytes)).toEqual([]);
    expect(zipNames((await ask('/archive?folder=contracts', { key: own.key })).bytes)).toEqual([]);
    expect((await ask('/usage', { key: own.key })).body).toMatchObject({ documents: 0, usedBytes: 0 });
    const reports = await Promise.all([other.key, own.key].map((key) => ask('/reports', { key, method: 'POST' })));
    const [theirs = '', mine = ''] = reports.map(({ body }) => (body as DocumentItem).path);
    expect((await ask(`/reports/${mine}`, { key: own.key })).bytes.toString()).toBe('path,bytes,type,stored at\r\n');
    expect((await ask(`/reports/${theirs}`, { key: own.key })).status).toBe(404);
    expect((await ask('/reports', { key: own.key })).body).toMatchObject([{ path: mine }]);
    expect(zipNames((await ask('/archive', { key: other.key })).bytes)).toEqual([PATH]);
  });

  it('hands out links to its own documents, which no change makes into links to others', async () => {
    await ask('/documents?folder=contracts', { key: own.key, body: formOf({ 'lease.txt': 'own terms' }) });
    const { body } = await ask('/documents/contracts%2Flease.txt/share', { key: own.key, body: { expiresIn: 60 } });
    const { pathname, search } = new URL((body as { url: string }).url);
    const link = `${pathname}${search}`;
    expect((await ask(link)).bytes.toString()).toBe('own terms');
    for (const forged of [
      link.replace(own.id, 't0'),
      link.replace(own.id, `${own.id}%2F..%2Ft0`),
      link.replace(own.id, `${own.id}/../t0`),
      link.replace(/expires=\d+/, 'expires=4000000000'),
      link.replace('attachment', 'inline'),
      `${link}&key=documents%2Ft0%2Fcontracts%2Flease.txt`,
      pathname,
      '/shared/files/documents/t0/contracts/lease.txt',
      '/shared/derived/reports/t0/x',
    ]) {
      expect((await ask(forged)).status).toBe(403);
    }
    await ask('/documents/contracts%2Flease.txt', { key: own.key, method: 'DELETE' });
    expect((await ask(link)).status).toBe(404);
  });
});

/** All that a client can see of an answer, but for its date, and its hash and length, which follow from its text. */
function said({ status, headers, bytes }: Answer): string {
  const shown = { ...headers, date: '', etag: '', 'content-length': '' };
  return JSON.stringify([status, shown, bytes.toString()]);
}
