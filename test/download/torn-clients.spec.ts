import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectionError, FileSystemStorage, MemoryStorage, type Storage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { FaultyStorage } from 'nestjs-storages/testing';
import { DownloadApplication } from './download-application.js';
import { tearClients } from './torn-clients-on.js';

const MIB = 1024 * 1024;
const run = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'torn-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const STORAGES: readonly [string, () => Storage][] = [
  ['memory', () => new MemoryStorage()],
  ['filesystem', () => new FileSystemStorage({ root: join(folder, 'root'), durability: 'fast' })],
  ['SQLite', () => new SQLiteStorage({ filename: join(folder, 'files.db') })],
];

describe.each(STORAGES)('Of 200 clients that are torn off in the middle (%s)', (_name, make) => {
  it('none has left anything open after a second', () =>
    tearClients(make(), 200, async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
      return (await Promise.all(links)).filter((path) => path === join(folder, 'root', 'large')).length;
    }));
});

describe('A download that was cut', () => {
  it('is resumed by curl, and is then the file', async () => {
    const faulty = new FaultyStorage(new FileSystemStorage({ root: join(folder, 'root'), durability: 'fast' }));
    await using app = await DownloadApplication.start(faulty);
    const bytes = Buffer.alloc(64 * MIB);
    for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, at);
    await faulty.put('large', bytes);
    const target = join(folder, 'downloaded');
    const curl = (...more: string[]): Promise<unknown> =>
      run('curl', ['-sS', '-o', target, ...more, `http://127.0.0.1:${app.port}/file/large`]);
    for (const afterBytes of [10 * MIB + 7, 30 * MIB + 1]) {
      faulty.failReading('get', { afterBytes, error: new ConnectionError('gone') });
      // 18: less than was announced
      await expect(curl('-C', '-')).rejects.toMatchObject({ code: 18 });
      faulty.clearFaults();
    }
    expect((await stat(target)).size).toBeGreaterThan(10 * MIB);
    await curl('-C', '-');
    const sum = (of: Buffer): string => createHash('sha256').update(of).digest('hex');
    expect(sum(await readFile(target))).toBe(sum(bytes));
  });
});
