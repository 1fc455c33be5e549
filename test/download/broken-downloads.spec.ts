import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectionError, FileSystemStorage, MemoryStorage } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { liveBufferBytes } from '../../lib/testing/conformance/measure/live-memory.js';
import { holdsWithin } from '../thread-time.js';
import { DownloadApplication } from './download-application.js';

const MIB = 1024 * 1024;

describe('An answer whose storage fails', () => {
  let faulty: FaultyStorage;
  let app: DownloadApplication;

  beforeEach(async () => {
    faulty = new FaultyStorage(new MemoryStorage());
    app = await DownloadApplication.start(faulty);
    await faulty.put('file', Buffer.alloc(4 * MIB, 'x'));
  });

  afterEach(() => app.close());

  it('before its first byte has the status of the failure', async () => {
    faulty.fail('get', { error: new ConnectionError('The disk at /secret/place is gone.') });
    const { status, headers, body } = await app.get('file');
    expect([status, headers['accept-ranges'], headers['content-disposition']]).toEqual([503, undefined, undefined]);
    expect(String(body)).not.toContain('secret');
    faulty.clearFaults();
    faulty.failReading('get', { afterBytes: 0, error: new ConnectionError('gone') });
    expect((await app.get('file')).status).toBe(503);
  });

  it.each([[{}], [{ range: 'bytes=100-3000000' }], [{ range: 'bytes=0-1500000,2000000-4000000' }]])(
    'in the middle is broken off: no client takes it for the whole (%j)',
    async (headers) => {
      for (const afterBytes of [1, 70_000, 1_000_000]) {
        faulty.failReading('get', { afterBytes, error: new ConnectionError('gone') });
        const answer = await app.get('file', headers);
        expect(answer.broken).toBe(true);
        expect(answer.body.length).toBeLessThan(Number(answer.headers['content-length']));
        faulty.clearFaults();
        expect((await app.get('file')).body).toHaveLength(4 * MIB);
      }
    },
  );

  it('in its look at the version has the status of the failure', async () => {
    faulty.fail('info', { error: new ConnectionError('gone') });
    expect((await app.get('file', { 'if-none-match': '"x"' })).status).toBe(503);
  });
});

describe('A client that goes away', () => {
  let folder: string;
  let app: DownloadApplication;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'download-'));
    const storage = new FileSystemStorage({ root: folder, durability: 'fast' });
    app = await DownloadApplication.start(storage);
    await storage.put('large', Buffer.alloc(32 * MIB));
  });

  afterEach(async () => {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function openFiles(): Promise<number> {
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).filter((path) => path === join(folder, 'large')).length;
  }

  it.each(['', 'Range: bytes=0-20000000\r\n', 'Range: bytes=0-9999999,20000000-30000000\r\n'])(
    'leaves no file open, and 50 that read slowly hold one buffer each (%j)',
    async (range) => {
      const before = liveBufferBytes();
      const sockets = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = connect(app.port, '127.0.0.1');
          socket.on('error', () => undefined);
          socket.write(`GET /file/large HTTP/1.1\r\nHost: localhost\r\n${range}\r\n`);
          await once(socket, 'readable');
          return socket;
        }),
      );
      expect(await openFiles()).toBeGreaterThanOrEqual(50);
      expect(liveBufferBytes() - before).toBeLessThan(50 * 3 * MIB);
      for (const socket of sockets) socket.destroy();
      expect(await holdsWithin(1000, async () => (await openFiles()) === 0)).toBe(true);
    },
  );
});

describe('An answer that opens nothing', () => {
  it('is one of 304, 412, 416 or to HEAD', async () => {
    const faulty = new FaultyStorage(new MemoryStorage());
    await using app = await DownloadApplication.start(faulty);
    const { etag } = await faulty.put('file', 'bytes');
    faulty.fail('get', { error: new ConnectionError('It was opened.') });
    expect((await app.get('file', { 'if-none-match': `"${etag}"` })).status).toBe(304);
    expect((await app.get('file', { 'if-match': '"other"' })).status).toBe(412);
    expect((await app.get('file', { range: 'bytes=100-' })).status).toBe(416);
    expect((await app.send('HEAD', '/file/file')).status).toBe(200);
  });
});
