import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Duplex, PassThrough, Transform } from 'node:stream';
import { createGzip, gunzipSync } from 'node:zlib';
import { ForbiddenException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { field, file, form, FORM_TYPE } from './form.js';
import { watchedRoute } from './watched-route.js';

interface Upload {
  readonly key: string;
  readonly size: number;
}

const route = watchedRoute();
const { start, stored, refused } = route;

/** A transform of chunks, which fails or ends where it is told to. */
function each(change: (chunk: Buffer) => Buffer, last: () => Buffer = () => Buffer.alloc(0)): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        done(null, change(chunk));
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        done(null, last());
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

const SIZES = [0, 1, 65_536, 1_000_003];

describe('transform', () => {
  it.each(SIZES)('stores what comes out of it, of %i bytes', async (size) => {
    const data = randomBytes(size);
    const key = randomBytes(32);
    const iv = randomBytes(16);
    const cases: readonly [transform: () => Duplex, back: (bytes: Buffer) => Buffer][] = [
      [() => new PassThrough(), (bytes) => bytes],
      [() => createGzip(), (bytes) => gunzipSync(bytes)],
      [() => createCipheriv('aes-256-ctr', key, iv), (bytes) => createDecipheriv('aes-256-ctr', key, iv).update(bytes)],
      [() => each((chunk) => Buffer.concat([chunk, chunk])), (bytes) => bytes.subarray(0, bytes.length / 2)],
    ];
    for (const [transform, back] of cases) {
      await start({ transform });
      const [bytes = Buffer.alloc(0)] = await stored(file(data));
      expect(back(bytes).length).toBe(size);
      if (transform !== cases[3]?.[0]) expect(back(bytes).equals(data)).toBe(true);
      expect((route.application.given[0]?.files as Upload[])[0]?.size).toBe(bytes.length);
      await route.close();
    }
    await start({
      transform: () =>
        each(
          () => Buffer.alloc(0),
          () => Buffer.from('end'),
        ),
    });
    expect((await stored(file(data))).map(String)).toEqual(['end']);
  });

  it('is for the files that it wants', async () => {
    await start({
      transform: async ({ originalname }) => {
        await Promise.resolve();
        return originalname === 'b' ? each((chunk) => Buffer.from(chunk.toString().toUpperCase())) : undefined;
      },
    });
    const files = await stored(file('one', 'x', 'a'), file('two', 'x', 'b'), file('three', 'x', 'c'));
    expect(files.map(String)).toEqual(['one', 'TWO', 'three']);
  });

  it.each([
    ['image/webp', '.webp'],
    ['application/x-unheard-of', ''],
  ])('tells that what comes out is %s', async (contentType, extension) => {
    await start({ transform: () => ({ stream: new PassThrough(), contentType }) });
    await stored(file('hello', 'x', 'a.txt', 'text/plain'));
    const [upload] = route.application.given[0]?.files as { key: string; contentType: string; mimetype: string }[];
    expect(upload).toMatchObject({ contentType, mimetype: 'text/plain' });
    expect(upload?.key.slice(36)).toBe(extension);
  });

  it('without a type leaves that of the file', async () => {
    await start({ transform: () => ({ stream: new PassThrough() }) });
    await stored(file('hello', 'x', 'a.txt', 'text/plain'));
    expect(route.application.given[0]?.files).toMatchObject([{ contentType: 'text/plain' }]);
  });

  it.each([
    ['ended before it got anything', (): Duplex => ended(Buffer.from('x'))],
    ['ended, and takes what still comes', (): Duplex => ended(Buffer.from('x'), true)],
  ])('that has %s is a whole file, and keeps nothing of the rest in memory', async (_what, transform) => {
    let stream: Duplex | undefined;
    await start({ transform: () => (stream = transform()) });
    const rest = Buffer.alloc(64 * 1024);
    const client = await route.application.connect();
    const body = form(file(Buffer.alloc(400 * rest.length)));
    client.head({ 'Content-Length': String(body.length), 'Content-Type': FORM_TYPE });
    await client.send(body);
    expect((await client.answer()).status).toBe(200);
    client.destroy();
    const [upload] = route.application.given[0]?.files as Upload[];
    expect((await route.storage.getBytes(upload?.key ?? '')).toString()).toBe('x');
    expect(stream?.destroyed).toBe(true);
  });

  describe('that fails', () => {
    const throwing = (error: Error): never => {
      throw error;
    };
    const failing: readonly (readonly [when: string, transform: (error: Error) => Duplex])[] = [
      ['before anything', (error) => new PassThrough().destroy(error)],
      ['at the first bytes', (error) => each(() => throwing(error))],
      [
        'in the middle',
        (error) => {
          let left = 3;
          return each(
            (chunk) => (left-- > 0 ? chunk : throwing(error)),
            () => throwing(error),
          );
        },
      ],
      [
        'at the end',
        (error) =>
          each(
            (chunk) => chunk,
            () => throwing(error),
          ),
      ],
    ];

    describe.each(failing)('%s', (_when, transform) => {
      it.each([5, 1_000_000])(
        'is a 500 that the log explains, and its HttpException the answer; %i bytes',
        async (size) => {
          const parts = [field('a', 'b'), file('other', 'y'), file(Buffer.alloc(size)), file('last', 'z')];
          await start({
            transform: ({ fieldname }) => (fieldname === 'file' ? transform(new Error('out of ink')) : undefined),
          });
          expect(await refused(...parts)).toEqual([500, 'Internal server error']);
          expect(route.application.errors.join('\n')).toContain('out of ink');
          await route.close();
          await start({
            key: async ({ fieldname }) => {
              await new Promise((resolve) => setImmediate(resolve));
              return fieldname;
            },
            transform: ({ fieldname }) => (fieldname === 'file' ? transform(new ForbiddenException('no')) : undefined),
          });
          expect(await refused(...parts)).toEqual([403, 'no']);
        },
      );
    });

    it.each<[what: string, transform: () => Duplex]>([
      ['was destroyed', () => new PassThrough().destroy()],
      ['has been used', () => used],
    ])('because it %s is a 500 whose log says so', async (_what, transform) => {
      await start({ transform });
      expect(await refused(file('x'))).toEqual([500, 'STORAGE_FAILURE']);
      expect(route.application.errors.join('\n')).toContain('transform gave a stream that was used or destroyed');
    });

    it('to be made is what it throws', async () => {
      await start({ transform: () => throwing(new ForbiddenException('no')) });
      expect(await refused(file('x'))).toEqual([403, 'no']);
      await route.close();
      await start({ transform: () => Promise.reject(new Error('secret')) });
      expect(await refused(file('x'))).toEqual([500, 'Internal server error']);
    });
  });
});

const used = new PassThrough();
used.end().resume();

/** A stream that gives something and ends at once, whatever comes in. */
function ended(output: Buffer, takes = false): Duplex {
  return new Duplex({
    read() {
      this.push(output);
      this.push(null);
    },
    write(_chunk, _encoding, done) {
      if (takes) done();
    },
  });
}
