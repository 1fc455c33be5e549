import { Controller, Module, Post, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { setImmediate as turn } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  MemoryStorage,
  Storage,
  type FileAttributes,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import { liveBufferBytes } from '../../lib/testing/conformance/measure/live-memory.js';
import { BOUNDARY, file, form, partHead } from './form.js';
import { ModuleApplication } from './module-application.js';
import { UploadApplication } from './upload-application.js';

const MIB = 1024 * 1024;

/** Takes some turns of the event loop for each file, the first ones the most, counts, and keeps no bytes. */
class SlowStorage extends MemoryStorage {
  atOnce = 0;
  mostAtOnce = 0;
  readonly committed: string[] = [];
  #calls = 0;

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const call = this.#calls++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    try {
      let size = 0;
      for await (const chunk of source) size += (chunk as Buffer).length;
      // later files of a group are done before earlier ones
      for (let wait = 30 - (call % 16); wait > 0; wait--) await turn();
      const staged = await super._stage(key, Readable.from([Buffer.alloc(1)]), options);
      return {
        ...staged,
        size,
        commit: async (): Promise<StoredFile> => {
          this.committed.push(key);
          return { ...(await staged.commit()), size };
        },
        abort: () => staged.abort(),
      };
    } finally {
      this.atOnce--;
    }
  }
}

describe('A request of many files', () => {
  let storage: SlowStorage;
  let application: ModuleApplication;
  let handled: readonly (StoredUpload & FileAttributes)[];

  async function start(options: UploadOptions): Promise<void> {
    @Controller()
    class ManyController {
      @Post('upload')
      @UseInterceptors(AnyStorageFilesInterceptor(options))
      upload(@UploadedFiles() uploads: StoredUpload[]): number {
        handled = uploads;
        return uploads.length;
      }
    }

    @Module({ controllers: [ManyController], providers: [{ provide: Storage, useFactory: () => storage }] })
    class AppModule {}
    application = await ModuleApplication.start(AppModule);
  }

  beforeEach(() => {
    storage = new SlowStorage();
    handled = [];
  });

  afterEach(async () => {
    await application.close();
  });

  it.each([10, 10_000, 100_000])(
    'of %i bytes is never staged more than 17 at once, and is committed and given in its order',
    async (size) => {
      await start({ key: ({ originalname }) => originalname });
      const names = Array.from({ length: 200 }, (_, index) => `${index}.bin`);
      const body = form(...names.map((name) => file(Buffer.alloc(size), 'file', name)));
      expect(await application.send('/upload', body)).toMatchObject({ status: 201, body: '200' });
      expect(handled.map(({ key }) => key)).toEqual(names);
      expect(storage.committed).toEqual(names);
      expect(storage.mostAtOnce).toBeLessThanOrEqual(17);
      // and still several
      expect(storage.mostAtOnce).toBeGreaterThan(2);
    },
  );

  it('commits creations before replacements', async () => {
    await start({
      key: ({ originalname }) => originalname,
      fields: { replaced: { overwrite: true }, created: { overwrite: false } },
    });
    await storage.put('old', 'x');
    storage.committed.length = 0;
    const parts = [
      file('1', 'replaced', 'old'),
      file('2', 'created', 'a'),
      file('3', 'replaced', 'b'),
      file('4', 'created', 'c'),
    ];
    expect((await application.post('/upload', ...parts)).status).toBe(201);
    expect(storage.committed).toEqual(['a', 'c', 'old', 'b']);
    expect(handled.map(({ key }) => key)).toEqual(['old', 'a', 'b', 'c']);
  });

  it('of one key that may be overwritten leaves the last one', async () => {
    await start({ key: () => 'same', overwrite: true, metadata: ({ originalname }) => ({ name: originalname }) });
    const parts = Array.from({ length: 40 }, (_, index) => file('x', 'file', String(index)));
    expect((await application.post('/upload', ...parts)).status).toBe(201);
    expect((await storage.info('same')).metadata).toEqual({ name: '39' });
  });

  it('of 1 MiB each needs memory for the files in flight, not for all of them', async () => {
    await start({});
    const files = 200;
    const chunk = Buffer.alloc(64 * 1024, 7);
    const client = await application.connect();
    client.head({ 'Transfer-Encoding': 'chunked' });
    const before = liveBufferBytes();
    let most = 0;
    const send = async (bytes: Buffer): Promise<void> => {
      await client.send(`${bytes.length.toString(16)}\r\n`);
      await client.send(bytes);
      await client.send('\r\n');
    };
    for (let index = 0; index < files; index++) {
      await send(partHead({ name: 'file', filename: `${index}.bin` }));
      for (let sent = 0; sent < MIB; sent += chunk.length) await send(chunk);
      if (index % 50 === 49) most = Math.max(most, liveBufferBytes() - before);
      await send(Buffer.from('\r\n'));
    }
    await send(Buffer.from(`--${BOUNDARY}--\r\n`));
    await client.send('0\r\n\r\n');
    expect(await client.answer()).toMatchObject({ status: 201, body: '200' });
    client.destroy();
    expect(handled.every(({ size }) => size === MIB)).toBe(true);
    expect(storage.mostAtOnce).toBeLessThanOrEqual(17);
    // 17 files of at most 256 KiB and a chunk each
    expect(most).toBeLessThan(16 * MIB);
  });
});

describe('A field of which a filter leaves files out', () => {
  let application: UploadApplication;
  let asked: Promise<void>;

  beforeEach(async () => {
    let ask: () => void = () => undefined;
    asked = new Promise((resolve) => (ask = resolve));
    application = await UploadApplication.start({
      storage: new MemoryStorage(),
      options: {
        filter: ({ originalname }) => {
          ask();
          return originalname !== 'no';
        },
      },
    });
  });

  afterEach(async () => {
    await application.close();
  });

  it.each(['in one piece', 'part by part'])('takes as many as it says, those included (sent %s)', async (how) => {
    const body = form(file('1', 'file', 'no'), file('2', 'file', 'yes'));
    const client = await application.connect();
    client.head({ 'Content-Length': String(body.length) });
    // behind the delimiter that ends the first file
    const split = how === 'part by part' ? body.indexOf(`--${BOUNDARY}`, 1) + BOUNDARY.length + 4 : 0;
    await client.send(body.subarray(0, split));
    if (split > 0) {
      await asked;
      for (let wait = 0; wait < 20; wait++) await turn();
    }
    await client.send(body.subarray(split));
    const answer = await client.answer();
    client.destroy();
    expect(answer).toMatchObject({ status: 400, body: { code: 'LIMIT_UNEXPECTED_FILE' } });
  });
});
