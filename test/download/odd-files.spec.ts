import { Readable } from 'node:stream';
import { connect } from 'node:net';
import { once } from 'node:events';
import { Controller, Module, Post, UseInterceptors } from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  MemoryStorage,
  StorageFileInterceptor,
  StorageModule,
  storedFile,
  type OpenedFile,
  type ResolvedGetOptions,
  type StoredFile,
  type StoredFileOptions,
} from 'nestjs-storages';
import { workOfThread } from '../thread-time.js';
import { createApplication } from '../upload/upload-application.js';
import { DownloadApplication } from './download-application.js';

/** Tells of its files what no storage of this library would take. */
class CarelessStorage extends MemoryStorage {
  constructor(private readonly told: Partial<StoredFile>) {
    super();
  }

  protected override async _info(key: string): Promise<StoredFile> {
    return { ...(await super._info(key)), ...this.told };
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, options);
    return { ...opened, file: { ...opened.file, ...this.told } };
  }
}

describe('An answer with a file of a careless storage', () => {
  it.each<[Partial<StoredFile>, Record<string, string | undefined>]>([
    [
      { contentType: 'text/plain;, text/html' },
      { 'content-type': 'application/octet-stream', 'content-security-policy': 'sandbox' },
    ],
    [{ contentType: 'image/png;a=b, text/html' }, { 'content-type': 'application/octet-stream' }],
    [{ contentType: 'image/png\r\nX: y' }, { 'content-type': 'application/octet-stream', x: undefined }],
    [{ cacheControl: 'public\r\nX: y' }, { 'cache-control': 'private, no-cache', x: undefined }],
    [{ contentEncoding: 'gzip\n' }, { 'content-encoding': undefined }],
    [
      { contentDisposition: 'form-data; name="x"; filename="a.png"' },
      { 'content-disposition': 'attachment; filename=a.png' },
    ],
    [{ etag: 'a "quoted" one' }, { etag: expect.stringMatching(/^"[\w-]{43}"$/) as unknown as string }],
  ])('has headers that can be sent, and nothing that runs: %j', async (told, expected) => {
    await using storage = new CarelessStorage(told);
    await using app = await DownloadApplication.start(storage);
    await storage.put('file', 'bytes');
    const { status, headers } = await app.get('file');
    expect(status).toBe(200);
    for (const [name, value] of Object.entries(expected)) expect(headers[name]).toEqual(value);
    if (told.contentType !== undefined) expect(headers['content-disposition']).toMatch(/^attachment/);
  });

  it('takes no second over a header that is made to be slow', async () => {
    await using storage = new MemoryStorage();
    await using app = await DownloadApplication.start(storage);
    await storage.put('file', 'bytes');
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = workOfThread();
      expect((await app.get('file', { 'if-none-match': `"a",${' '.repeat(15_000)}x` })).status).toBe(200);
      times.push(workOfThread() - before);
    }
    // the collector's work may come beside one of them, and only adds
    expect(Math.min(...times)).toBeLessThan(200);
  });
});

describe('storedFile()', () => {
  it.each<[string, unknown]>([
    ['disposition', { disposition: 'foo bar' }],
    ['cacheControl', { cacheControl: 'a\nb' }],
    ['contentType', { contentType: 'text/plain; name="中"' }],
    ['inlineTypes', { inlineTypes: 'application/pdf' }],
    ['filename', { filename: 1 }],
    ['redirect', { redirect: { expiresIn: -1 } }],
    ['dispositon', { dispositon: 'attachment' }],
    ['options', null],
  ])('refuses at once a %s that cannot be', (name, options) => {
    expect(() => storedFile(new MemoryStorage(), 'key', options as StoredFileOptions)).toThrow(name);
  });
});

/** Gives a stream that never has a byte. */
class SilentStorage extends MemoryStorage {
  readonly streams: Readable[] = [];

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, options);
    opened.body.destroy();
    const body = new Readable({ read: () => undefined });
    this.streams.push(body);
    return { ...opened, body };
  }
}

/** Replaces a file whenever somebody looks at it. */
class RestlessStorage extends MemoryStorage {
  #versions = 0;

  protected override async _info(key: string): Promise<StoredFile> {
    const file = await super._info(key);
    await this.put(key, `version ${++this.#versions}`);
    return file;
  }
}

describe('An answer with a file that is replaced faster than it can be opened', () => {
  it('is the whole of one version', async () => {
    await using storage = new RestlessStorage();
    await using app = await DownloadApplication.start(storage);
    await storage.put('file', 'version 0');
    for (const headers of [{ range: 'bytes=0-1' }, { 'if-none-match': '"x"' }]) {
      const { status, headers: told, body } = await app.get('file', headers);
      expect([status, String(body).startsWith('version'), told['content-length']]).toEqual([
        200,
        true,
        String(body.length),
      ]);
    }
    // every version is another one than the client has
    expect((await app.get('file', { 'if-match': '"x"' })).status).toBe(412);
    expect((await app.get('file', { 'if-match': '*', range: 'bytes=0-1' })).status).toBe(200);
  });
});

describe('A client that goes away', () => {
  it('before the first byte lets go of the storage', async () => {
    await using storage = new SilentStorage();
    await using app = await DownloadApplication.start(storage);
    await storage.put('file', 'bytes');
    for (const range of ['', 'Range: bytes=0-0,2-2\r\n']) {
      const socket = connect(app.port, '127.0.0.1');
      socket.write(`GET /file/file HTTP/1.1\r\nHost: localhost\r\n${range}\r\n`);
      while (storage.streams.length === 0) await new Promise(setImmediate);
      const [stream] = storage.streams.splice(0);
      if (stream === undefined) throw new Error('No stream was opened.');
      const closed = once(stream, 'close').catch(() => undefined);
      socket.destroy();
      await closed;
      expect(stream.destroyed).toBe(true);
    }
  });
});

describe('An upload that is answered with a stored file', () => {
  it.each(['missing', 'there'])('stays only when the answer is a success (%s)', async (key) => {
    const storage = new MemoryStorage();
    await storage.put('there', 'bytes');

    @Controller()
    class Files {
      @Post('upload')
      @UseInterceptors(StorageFileInterceptor('file'))
      upload(): unknown {
        return storedFile(storage, key);
      }
    }
    @Module({ imports: [StorageModule.forRoot({ storages: { files: storage } })], controllers: [Files] })
    class UploadModule {}
    const app = await createApplication(UploadModule);
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const body = new FormData();
    body.set('file', new Blob(['new']), 'a.bin');
    const { status } = await fetch(`http://127.0.0.1:${port}/upload`, { method: 'POST', body });
    expect(status).toBe(key === 'missing' ? 404 : 201);
    const keysOf = async (): Promise<string[]> => {
      const keys = [];
      for await (const file of storage.list()) keys.push(file.key);
      return keys;
    };
    const expected = key === 'missing' ? 1 : 2;
    while ((await keysOf()).length !== expected) await new Promise(setImmediate);
    expect(await keysOf()).toContain('there');
    await app.close();
  });
});
