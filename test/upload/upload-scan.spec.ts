import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import { createGzip, gunzipSync } from 'node:zlib';
import { ForbiddenException, ServiceUnavailableException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { ScannedFile, UploadOptions } from 'nestjs-storages';
import { field, file, form } from './form.js';
import { watchedRoute } from './watched-route.js';

/** Gives the first chunk, ends, and never asks for another one. */
class FirstChunk extends Transform {
  override _transform(chunk: Buffer): void {
    this.push(chunk);
    this.push(null);
  }
}

const route = watchedRoute();
const { start, stored, refused } = route;

const SIZES = [0, 1, 65_536, 1_000_003];

describe('scan', () => {
  const all = async ({ bytes }: ScannedFile): Promise<Buffer> => Buffer.concat((await bytes.toArray()) as Buffer[]);

  it.each(SIZES)('sees the bytes that the client sent, beside a transform: %i of them', async (size) => {
    const data = randomBytes(size);
    const seen: [name: string, right: boolean][] = [];
    const scan = async (scanned: ScannedFile): Promise<boolean> => {
      seen.push([scanned.originalname, (await all(scanned)).equals(data)]);
      return true;
    };
    await start({ scan });
    expect((await stored(file(data))).map((bytes) => bytes.equals(data))).toEqual([true]);
    await route.close();
    await start({ scan, transform: () => createGzip() });
    expect((await stored(file(data))).map((bytes) => gunzipSync(bytes).equals(data))).toEqual([true]);
    expect(seen).toEqual([
      ['a.bin', true],
      ['a.bin', true],
    ]);
  });

  describe.each([5, 1_000_000])('of %i bytes', (size) => {
    const parts = [file('first', 'a'), file(Buffer.alloc(size, 1), 'b'), file('last', 'c'), field('d', 'e')];

    it.each<[what: string, scan: NonNullable<UploadOptions['scan']>]>([
      ['has read all', async (scanned) => (await all(scanned)).length >= 0],
      ['answers at once and reads nothing', () => true],
      ['answers later and reads nothing', () => new Promise((resolve) => setImmediate(resolve, true))],
      [
        'reads the beginning',
        async ({ bytes }) => {
          for await (const _chunk of bytes) return true;
          return true;
        },
      ],
      [
        'destroys the stream',
        ({ bytes }) => {
          bytes.destroy();
          return true;
        },
      ],
      [
        'destroys the stream with an error',
        ({ bytes }) => {
          bytes.destroy(new Error('enough'));
          return true;
        },
      ],
    ])('passes what it finds clean, where it %s', async (_what, scan) => {
      await start({ scan });
      expect((await stored(...parts)).map(({ length }) => length)).toEqual([5, size, 4]);
    });

    it.each<[what: string, verdict: () => unknown, expected: unknown]>([
      ['says no', () => false, [422, 'FILE_REJECTED']],
      ['says nothing', () => undefined, [422, 'FILE_REJECTED']],
      ['says what is no verdict', () => 'clean', [422, 'FILE_REJECTED']],
      [
        'is down',
        () => {
          throw new ServiceUnavailableException('scanner down');
        },
        [503, 'scanner down'],
      ],
      [
        'breaks',
        () => {
          throw new TypeError('secret');
        },
        [500, 'Internal server error'],
      ],
    ])('refuses the whole form where it %s for one file', async (_what, verdict, expected) => {
      for (const reads of [true, false]) {
        await start({
          scan: async (scanned) => {
            if (scanned.fieldname !== 'b') return true;
            if (reads) await all(scanned);
            return verdict() as boolean;
          },
        });
        expect(await refused(...parts)).toEqual(expected);
        if (!reads) return;
        await route.close();
      }
    });
  });

  it('reads on where a transform has ended before the file and takes no more', async () => {
    const scan = async (scanned: ScannedFile): Promise<boolean> => (await all(scanned)).length === 2_000_000;
    await start({ scan, transform: () => new FirstChunk() });
    const [bytes] = await stored(file(Buffer.alloc(2_000_000)));
    expect(bytes?.length).toBeLessThan(2_000_000);
  });

  it('holds the client back where it is slow', async () => {
    let go: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      go = resolve;
    });
    let transferred = 0;
    await start({
      onProgress: (progress) => {
        transferred = progress.transferred;
      },
      scan: async (scanned) => {
        await asked;
        return (await all(scanned)).length === 32_000_000;
      },
    });
    const body = form(file(Buffer.alloc(32_000_000)));
    const client = await route.application.connect();
    client.head({ 'Content-Length': String(body.length) });
    const sent = client.send(body);
    await route.storage.untilStaging();
    // it comes to rest
    for (let before = -1; before !== transferred;) {
      before = transferred;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(transferred).toBeLessThan(2_000_000);
    expect(await route.storage.keys()).toEqual([]);
    go();
    await sent;
    expect((await client.answer()).status).toBe(200);
    client.destroy();
  });

  it('hears of a client that has gone', async () => {
    let told: (error: unknown) => void = () => undefined;
    const failure = new Promise((resolve) => {
      told = resolve;
    });
    await start({
      scan: async (scanned) => {
        await all(scanned).catch((error: unknown) => {
          told(error);
          throw error;
        });
        return true;
      },
    });
    const client = await route.application.connect();
    client.head({ 'Content-Length': '1000000' });
    await client.send(form(file(Buffer.alloc(300_000))).subarray(0, 200_000));
    await route.storage.untilStaging();
    client.destroy();
    expect(await failure).toBeInstanceOf(Error);
    await route.storage.untilNothing();
  });
});

describe('filter', () => {
  const only = (name: string): UploadOptions => ({ filter: ({ originalname }) => originalname === name });

  it.each([5, 300_000])('leaves out what it does not want of %i bytes, and the form goes on', async (size) => {
    await start(only('b'));
    const other = Buffer.alloc(size);
    const files = await stored(file(other, 'x', 'a'), file('two', 'x', 'b'), file(other, 'y', 'c'), field('d', 'e'));
    expect(files.map(String)).toEqual(['two']);
    expect(await route.storage.keys()).toHaveLength(1);
    expect(route.application.given[0]?.body).toEqual({ d: 'e' });
  });

  it('may leave out all of them, unless one is required', async () => {
    await start(only('z'));
    expect(await stored(file('one', 'x', 'a'))).toEqual([]);
    await route.close();
    await start({ ...only('z'), required: true });
    expect(await refused(file('one', 'x', 'a'))).toEqual([400, 'MISSING_FILE']);
  });

  it('sees what is found in the bytes, before types are refused', async () => {
    await start({ filter: ({ contentType }) => contentType === 'image/gif', allowedTypes: 'image/*' });
    const files = await stored(file('hello', 'x', 'a.gif', 'image/gif'), file('GIF89a', 'x', 'a.txt', 'text/plain'));
    expect(files.map(String)).toEqual(['GIF89a']);
  });

  it('that throws refuses the form with what it throws', async () => {
    await start({ filter: () => Promise.reject(new ForbiddenException('no')) });
    expect(await refused(file('one'), file('two'))).toEqual([403, 'no']);
    await route.close();
    await start({
      filter: () => {
        throw new TypeError('secret');
      },
    });
    expect(await refused(file('one'))).toEqual([500, 'Internal server error']);
  });
});
