import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  archive,
  ConnectionError,
  FileSystemStorage,
  MemoryStorage,
  type ArchiveOptions,
  type OpenedFile,
  type ResolvedGetOptions,
  type Storage,
} from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { FaultyStorage } from 'nestjs-storages/testing';
import { liveBufferBytes } from '../../lib/testing/conformance/measure/live-memory.js';
import { holdsWithin } from '../thread-time.js';
import { DownloadApplication } from './download-application.js';

const MIB = 1024 * 1024;
const run = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What another program than the one that wrote it finds in a zip file. */
async function unzipped(zip: Buffer): Promise<Map<string, { bytes: Buffer; modified: number }>> {
  const [path, target] = [join(folder, 'it.zip'), join(folder, 'unpacked')];
  await rm(target, { recursive: true, force: true });
  await writeFile(path, zip);
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  // checks every checksum, and fails for anything that it has to mend
  await run('unzip', ['-tqq', path], { env });
  await run('unzip', ['-q', path, '-d', target], { env });
  const found = new Map<string, { bytes: Buffer; modified: number }>();
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(file);
    found.set(file.slice(target.length + 1), { bytes: await readFile(file), modified: mtimeMs });
  }
  return found;
}

async function namesIn(storage: Storage, of: readonly string[] | string, options?: ArchiveOptions): Promise<string[]> {
  await using app = await DownloadApplication.start(storage);
  app.archived = { of, ...(options === undefined ? undefined : { options }) };
  const { status, body } = await app.send('GET', '/archive');
  expect(status).toBe(200);
  return [...(await unzipped(body)).keys()].sort();
}

const STORAGES: readonly [string, () => Storage][] = [
  ['memory', () => new MemoryStorage()],
  ['filesystem', () => new FileSystemStorage({ root: join(folder, 'root'), durability: 'fast' })],
  ['SQLite', () => new SQLiteStorage({ filename: join(folder, 'files.db') })],
];

describe.each(STORAGES)('An archive (%s)', (_name, make) => {
  it('has every file under a prefix, with its bytes, name and date', async () => {
    await using app = await DownloadApplication.start(make());
    const storage = app.storage;
    const contents = new Map<string, Buffer>([
      ['all/text.txt', Buffer.from('text '.repeat(50_000))],
      ['all/empty', Buffer.alloc(0)],
      ['all/deep/er/naïve "résumé" 😀 日本語.html', Buffer.from('<p>')],
      ['all/photo.png', Buffer.alloc(300_000, 'png')],
    ]);
    const dates = new Map<string, number>();
    for (const [key, bytes] of contents) dates.set(key, (await storage.put(key, bytes)).lastModified.getTime());
    await storage.put('other', 'not in it');
    app.archived = { of: 'all/' };
    const { status, headers, body } = await app.send('GET', '/archive');
    expect([status, headers['content-type'], headers['content-disposition'], headers['content-length']]).toEqual([
      200,
      'application/zip',
      'attachment; filename=all.zip',
      undefined,
    ]);
    expect(headers).toMatchObject({ 'cache-control': 'private, no-store', 'x-content-type-options': 'nosniff' });
    const found = await unzipped(body);
    expect([...found.keys()].sort()).toEqual([...contents.keys()].sort());
    for (const [name, { bytes, modified }] of found) {
      expect(bytes.equals(contents.get(name) ?? Buffer.from('?'))).toBe(true);
      // of a zip, for a program that reads no more than it must: even seconds
      expect(modified).toBe(Math.floor((dates.get(name) ?? 0) / 2000) * 2000);
    }
    // text has shrunk, the picture was left as it is
    expect(body.length).toBeGreaterThan(300_000);
    expect(body.length).toBeLessThan(310_000);
  });
});

describe('An archive', () => {
  it('of keys has each of them once, in their order', async () => {
    const storage = new MemoryStorage();
    for (const key of ['a', 'b', 'c']) await storage.put(key, key);
    await using app = await DownloadApplication.start(storage);
    app.archived = { of: ['c', 'a', '/c', 'x/../a'] };
    const { body } = await app.send('GET', '/archive');
    expect([...(await unzipped(body)).keys()].sort()).toEqual(['a', 'c']);
    expect(body.indexOf('PK\x03\x04')).toBe(0);
    expect(body.subarray(30, 31).toString()).toBe('c');
  });

  it('of nothing is an empty one', async () => {
    await using app = await DownloadApplication.start(new MemoryStorage());
    for (const given of ['none/', [], '']) {
      app.archived = { of: given };
      const { status, body, headers } = await app.send('GET', '/archive');
      expect([status, body.toString('latin1')]).toEqual([200, `PK\x05\x06${'\0'.repeat(18)}`]);
      expect(headers['content-disposition']).toBe(
        given === 'none/' ? 'attachment; filename=none.zip' : 'attachment; filename=archive.zip',
      );
    }
  });

  it('of a key that is missing is 404, also for HEAD, before a byte is sent', async () => {
    const storage = new MemoryStorage();
    await storage.put('there', 'bytes');
    await using app = await DownloadApplication.start(storage);
    app.archived = { of: ['there', 'missing'] };
    const { status, headers, body } = await app.send('GET', '/archive');
    expect([status, headers['content-disposition']]).toEqual([404, undefined]);
    expect(JSON.parse(String(body))).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect((await app.send('HEAD', '/archive')).status).toBe(404);
    app.archived = { of: ['there', '\0'] };
    expect((await app.send('GET', '/archive')).status).toBe(400);
  });

  it('has the headers, and opens no file, for HEAD', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    await faulty.put('file', 'bytes');
    await using app = await DownloadApplication.start(faulty);
    app.archived = { of: ['file'], options: { filename: 'Übersicht 😀.zip', cacheControl: 'no-cache' } };
    faulty.fail('get', { error: new ConnectionError('It was opened.') });
    const { status, headers, body } = await app.send('HEAD', '/archive');
    expect([status, body.length]).toEqual([200, 0]);
    expect(headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition':
        'attachment; filename="Ubersicht _.zip"; filename*=UTF-8\'\'%C3%9Cbersicht%20%F0%9F%98%80.zip',
      'cache-control': 'no-cache',
    });
    expect((await app.send('GET', '/archive')).status).toBe(503);
  });

  it('has no name that climbs, is absolute, or stands for two files', async () => {
    const storage = new MemoryStorage();
    const wanted = new Map([
      ['1', '../../etc/passwd'],
      ['2', '/etc/passwd'],
      ['3', 'C:\\windows\\system.ini'],
      ['4', 'etc/PASSWD'],
      ['5', '..'],
      ['6', ''],
      ['7', 'a/b'],
      ['8', 'a'],
      ['9', 'a/b/c'],
      ['A', 'report.pdf'],
      ['B', 'report.pdf'],
      ['C', 'Report.PDF'],
      ['D', 'line\nend'],
      ['E', `${'ü'.repeat(200)}.txt`],
      ['F', 'e\u0301'],
      ['G', '\u00e9'],
    ]);
    for (const key of wanted.keys()) await storage.put(key, key);
    const names = await namesIn(storage, '', { name: ({ key }) => wanted.get(key) ?? '' });
    expect(names).toEqual(
      [
        'etc/passwd',
        'etc/passwd (2)',
        'C_/windows/system.ini',
        'etc/PASSWD (3)',
        'unnamed',
        'unnamed (2)',
        'a/b',
        'a (2)',
        'a/b (2)/c',
        'report.pdf',
        'report (2).pdf',
        'Report (3).PDF',
        'line_end',
        `${'ü'.repeat(121)}.txt`,
        'e\u0301',
        '\u00e9 (2)',
      ].sort(),
    );
  });

  it('is compressed as the route says', async () => {
    const storage = new MemoryStorage();
    await storage.put('text.txt', 'x'.repeat(MIB));
    await storage.put('data.bin', Buffer.alloc(MIB));
    await using app = await DownloadApplication.start(storage);
    const sizeAt = async (level?: 0 | 9): Promise<number> => {
      app.archived = { of: '', options: { level } };
      const { body } = await app.send('GET', '/archive');
      expect((await unzipped(body)).get('data.bin')?.bytes.length).toBe(MIB);
      return Math.round(body.length / MIB);
    };
    expect([await sizeAt(), await sizeAt(0), await sizeAt(9)]).toEqual([1, 2, 0]);
  });

  it.each([
    ['keys', [new MemoryStorage(), 5]],
    ['keys', [new MemoryStorage(), ['a', 5]]],
    ['level', [new MemoryStorage(), '', { level: 10 }]],
    ['levle', [new MemoryStorage(), '', { levle: 1 }]],
    ['name', [new MemoryStorage(), '', { name: 'x' }]],
    ['filename', [new MemoryStorage(), '', { filename: 1 }]],
    ['cacheControl', [new MemoryStorage(), '', { cacheControl: 'a\r\nb' }]],
    ['storage', [{}, '']],
  ])('refuses at once wrong %s', (word, args) => {
    expect(() => archive(...(args as Parameters<typeof archive>))).toThrow(word);
  });
});

describe('An archive whose storage fails', () => {
  let faulty: FaultyStorage;
  let app: DownloadApplication;

  beforeEach(async () => {
    faulty = new FaultyStorage(new MemoryStorage());
    app = await DownloadApplication.start(faulty);
    for (const key of ['a', 'b', 'c']) await faulty.put(key, Buffer.alloc(MIB, key));
    app.archived = { of: '', options: { level: 0 } };
  });
  afterEach(() => app.close());

  it('before its first byte has the status of the failure', async () => {
    faulty.fail('list', { error: new ConnectionError('gone') });
    expect((await app.send('GET', '/archive')).status).toBe(503);
    faulty.clearFaults();
    app.archived = {
      of: '',
      options: {
        name: () => {
          throw new Error('no name');
        },
      },
    };
    expect((await app.send('GET', '/archive')).status).toBe(500);
  });

  it.each([0, 1, 70_000, MIB - 1])('in the middle, after %i bytes of a file, is broken off', async (afterBytes) => {
    faulty.failReading('get', { afterBytes, key: 'b', error: new ConnectionError('gone') });
    const { status, broken, body } = await app.send('GET', '/archive');
    expect([status, broken]).toEqual([200, true]);
    expect(body.includes('PK\x05\x06')).toBe(false);
    faulty.clearFaults();
    expect((await app.send('GET', '/archive')).broken).toBe(false);
  });

  it('because a file has gone meanwhile is broken off', async () => {
    app.archived = {
      of: ['a', 'b'],
      options: {
        name: ({ key }) => {
          void faulty.delete('b', { force: true });
          return key;
        },
      },
    };
    const { status, broken } = await app.send('GET', '/archive');
    expect([status, broken]).toEqual([200, true]);
  });

  it('because a file ends before its end is broken off', async () => {
    class ShortStorage extends MemoryStorage {
      protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
        const opened = await super._get(key, options);
        opened.body.destroy();
        return { ...opened, body: Readable.from([Buffer.alloc(MIB - 1)]) };
      }
    }
    await using short = new ShortStorage();
    await short.put('file', Buffer.alloc(MIB));
    await using shortApp = await DownloadApplication.start(short);
    expect((await shortApp.send('GET', '/archive')).broken).toBe(true);
  });
});

describe('A client of an archive that goes away', () => {
  it('leaves no file open and no list going on, and a slow one holds one file and few buffers', async () => {
    const root = join(folder, 'root');
    const storage = new FileSystemStorage({ root, durability: 'fast' });
    await using app = await DownloadApplication.start(storage);
    for (let i = 0; i < 4; i++) await storage.put(`large-${i}`, Buffer.alloc(32 * MIB, 'x'));
    app.archived = { of: '', options: { level: 0 } };
    const openFiles = async (): Promise<number> => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(links)).filter((path) => path.startsWith(join(root, 'large'))).length;
    };
    const before = liveBufferBytes();
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(app.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write('GET /archive HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(socket, 'readable');
        return socket;
      }),
    );
    expect(await openFiles()).toBe(20);
    expect(liveBufferBytes() - before).toBeLessThan(20 * 3 * MIB);
    for (const socket of sockets) socket.destroy();
    expect(await holdsWithin(1000, async () => (await openFiles()) === 0)).toBe(true);
  });
});
