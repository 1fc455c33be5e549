import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MapStorage } from './map-storage.js';
import { discardSource, openSource, type SourceChecks } from '../../lib/contract/source/index.js';

const open = (data: unknown, checks: SourceChecks = {}): Readable => openSource(data, checks, false).stream;

async function* chunks(...parts: unknown[]): AsyncGenerator {
  for (const part of parts) {
    await Promise.resolve();
    yield part;
  }
}

const failure = (code: string): unknown => expect.objectContaining({ code });

describe('openSource', () => {
  it.each([
    ['a Buffer', () => Buffer.from('grüße')],
    ['a Uint8Array', () => new TextEncoder().encode('grüße')],
    ['a string', () => 'grüße'],
    ['a Node stream of Buffers', () => Readable.from([Buffer.from('gr'), Buffer.from('üße')], { objectMode: false })],
    ['a Node stream of objects', () => Readable.from(['gr', Buffer.from('ü'), new TextEncoder().encode('ße')])],
    ['an async iterable', () => chunks('gr', Buffer.from('üße'))],
    ['a web stream', () => new Blob(['grüße']).stream()],
    ['a Blob', () => new Blob(['grüße'])],
    ['an async iterable with empty chunks', () => chunks('', 'grüße', Buffer.alloc(0), '')],
  ])('reads %s', async (_, make) => {
    expect(String(await buffer(open(make())))).toBe('grüße');
  });

  it('takes a view as what it shows, and not the memory around it', async () => {
    const view = new Uint8Array(Buffer.from('abcdef').buffer.slice(0));
    const part = new Uint8Array(view.buffer, 0, 0);
    expect(openSource(part, {}, false).bytes).toHaveLength(0);
    const memory = new TextEncoder().encode('0123456789');
    const { bytes, size } = openSource(memory.subarray(2, 5), {}, false);
    expect(String(bytes)).toBe('234');
    expect(size).toBe(3);
    expect(String(await buffer(open(memory.subarray(2, 5))))).toBe('234');
  });

  it('knows the length of what has one', () => {
    expect(openSource('grüße', {}, false).size).toBe(7);
    expect(openSource(new Blob(['abc']), {}, false).size).toBe(3);
    expect(openSource(chunks(), {}, false).size).toBeUndefined();
    expect(openSource(chunks(), { size: 5 }, false).size).toBe(5);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['an object', {}],
    ['an array', ['a']],
    ['a function', () => 'a'],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a Uint16Array', new Uint16Array(1)],
    ['a synchronous iterable', new Set([Buffer.from('a')])],
  ])('refuses %s', (_, data) => {
    expect(() => open(data)).toThrow(failure('INVALID_ARGUMENT'));
  });

  it('refuses what was consumed or destroyed before', async () => {
    const consumed = Readable.from(['a']);
    await buffer(consumed);
    const destroyed = new Readable({ read: () => undefined });
    destroyed.destroy();
    const broken = new Readable({ read: () => undefined });
    broken.on('error', () => undefined).destroy(new Error('broken'));
    const locked = new Blob(['a']).stream();
    locked.getReader();
    const drained = new Blob(['a']).stream();
    await buffer(drained);
    const cancelled = new Blob(['a']).stream();
    await cancelled.cancel();
    for (const data of [consumed, destroyed, broken, locked, drained, cancelled]) {
      expect(() => open(data)).toThrow(failure('INVALID_ARGUMENT'));
    }
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['an array', [1]],
    ['a Uint16Array', new Uint16Array(1)],
  ])('fails at a chunk that is %s', async (_, chunk) => {
    await expect(buffer(open(chunks('a', chunk)))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  describe('a Node stream that needs no check', () => {
    const source = (): Readable => Readable.from([Buffer.from('abc')], { objectMode: false });

    it('is handed on as it is where the hook wants it so', () => {
      const stream = source();
      expect(openSource(stream, {}, true).stream).toBe(stream);
      const other = source();
      expect(openSource(other, {}, false).stream).not.toBe(other);
    });

    it('is checked where anything is demanded of it', async () => {
      for (const checks of [{ size: 2 }, { maxSize: 2 }, { checksum: { crc32: '00000000' } }]) {
        const stream = source();
        const opened = openSource(stream, checks, true);
        expect(opened.stream).not.toBe(stream);
        await expect(buffer(opened.stream)).rejects.toMatchObject({
          code: 'maxSize' in checks ? 'FILE_TOO_LARGE' : 'INTEGRITY_FAILED',
        });
      }
    });

    it('does not end the process when it fails before anybody reads it', async () => {
      const stream = new Readable({ read: () => undefined });
      const opened = openSource(stream, {}, true);
      stream.destroy(new Error('reset'));
      await new Promise((resolve) => stream.once('close', resolve));
      expect(opened.failure(undefined)).toMatchObject({ message: 'reset' });
    });
  });
});

describe('checks of the bytes', () => {
  const kinds = {
    'bytes in memory': (text: string): unknown => Buffer.from(text),
    'a Node stream': (text: string): unknown => Readable.from([Buffer.from(text)]),
    'an async iterable': (text: string): unknown => chunks(...Array.from(text)),
    'a Blob': (text: string): unknown => new Blob([text]),
  };
  /** Opening fails for bytes in memory, reading for the rest. */
  const read = async (data: unknown, checks: SourceChecks): Promise<Buffer> => buffer(open(data, checks));

  it.each(Object.entries(kinds))('hold %s to the declared size', async (_, make) => {
    expect(String(await read(make('abc'), { size: 3 }))).toBe('abc');
    await expect(read(make('abc'), { size: 2 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
    await expect(read(make('abc'), { size: 4 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
    await expect(read(make(''), { size: 1 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
    await expect(read(make('a'), { size: 0 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
  });

  it.each(Object.entries(kinds))('hold %s to the largest size', async (_, make) => {
    expect(String(await read(make('abc'), { maxSize: 3 }))).toBe('abc');
    await expect(read(make('abcd'), { maxSize: 3 })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  it.each(Object.entries(kinds))('hold %s to its checksums', async (_, make) => {
    const right = {
      sha256: createHash('sha256').update('abc').digest('hex'),
      md5: createHash('md5').update('abc').digest('hex'),
      crc32: crc32('abc').toString(16).padStart(8, '0'),
    };
    expect(String(await read(make('abc'), { checksum: right }))).toBe('abc');
    for (const algorithm of ['sha256', 'md5', 'crc32'] as const) {
      expect(String(await read(make('abc'), { checksum: { [algorithm]: right[algorithm] } }))).toBe('abc');
      const wrong = { ...right, [algorithm]: right[algorithm].replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
      await expect(read(make('abc'), { checksum: wrong })).rejects.toMatchObject({
        code: 'INTEGRITY_FAILED',
        message: expect.stringContaining(algorithm),
      });
    }
  });

  it('keep the leading zeros of a crc32', async () => {
    // found by trying: the first texts whose crc32 begins with a zero
    for (const text of Array.from({ length: 200 }, (_, i) => `text ${i}`)) {
      const checksum = { crc32: crc32(text).toString(16).padStart(8, '0') };
      if (checksum.crc32.startsWith('0')) expect(String(await read(chunks(text), { checksum }))).toBe(text);
    }
  });

  it('report progress that never falls, once for each amount, and the size at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }),
        fc.boolean(),
        async (parts, known) => {
          const size = parts.reduce((sum, part) => sum + part.length, 0);
          const seen: { transferred: number; total?: number }[] = [];
          const checks = { onProgress: (progress: { transferred: number }) => void seen.push(progress) };
          await buffer(open(chunks(...parts), known ? { ...checks, size } : checks));
          const transferred = seen.map((progress) => progress.transferred);
          expect(transferred).toEqual([...new Set(transferred)].sort((a, b) => a - b));
          expect(transferred.at(-1)).toBe(size);
          expect(seen.every(({ total }) => total === (known ? size : undefined))).toBe(true);
        },
      ),
    );
  });

  it('fail when the listener of progress throws', async () => {
    const onProgress = (): void => {
      throw new Error('listener');
    };
    await expect(read(chunks('a'), { onProgress })).rejects.toThrow('listener');
  });
});

describe('a checked source', () => {
  it('reads no more than it is asked for', async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        await Promise.resolve();
        pulled++;
        yield Buffer.alloc(64 * 1024);
      }
    }
    const stream = open(endless());
    await new Promise((resolve) => stream.once('readable', resolve));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeLessThanOrEqual(2);
    stream.destroy();
  });

  it('pauses a Node stream that is faster than its reader', async () => {
    let pushed = 0;
    const source = new Readable({
      highWaterMark: 64 * 1024,
      read() {
        pushed++;
        this.push(Buffer.alloc(64 * 1024));
      },
    });
    const stream = open(source);
    await new Promise((resolve) => stream.once('readable', resolve));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pushed).toBeLessThanOrEqual(4);
    stream.destroy();
  });

  it.each<[string, (source: PassThrough) => void]>([
    ['paused', (source) => source.pause()],
    ['unpiped', (source) => source.unpipe(source.pipe(new PassThrough()))],
  ])('reads a Node stream that was %s before', async (_, stop) => {
    const source = new PassThrough();
    stop(source);
    source.end('abc');
    expect(String(await buffer(openSource(source, {}, false).stream))).toBe('abc');
  });

  it('fails with the error of its source', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield 'a';
      await Promise.resolve();
      throw new Error('generator');
    }
    await expect(buffer(open(broken()))).rejects.toThrow('generator');
    const source = new Readable({ read: () => undefined });
    const reading = buffer(open(source));
    source.destroy(new Error('stream'));
    await expect(reading).rejects.toThrow('stream');
  });

  it('makes an error of whatever else its source throws', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield 'a';
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- foreign code may
      throw await Promise.resolve('a string');
    }
    await expect(buffer(open(broken()))).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: 'a string' });
  });

  it('fails when a Node stream closes before its end', async () => {
    const source = new Readable({ read: () => undefined });
    source.push('abc');
    const opened = openSource(source, {}, false);
    const reading = buffer(opened.stream);
    source.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    expect(opened.failure(undefined)).toMatchObject({ code: 'SOURCE_FAILED' });
  });

  it('hears the failure of a Node stream that nobody has read yet', async () => {
    const source = new Readable({ read: () => undefined });
    const opened = openSource(source, {}, false);
    source.destroy(new Error('reset'));
    await new Promise((resolve) => opened.stream.once('close', resolve));
    expect(opened.failure(undefined)).toMatchObject({ message: 'reset' });
  });

  it('is not to blame when its reader gives up', async () => {
    const source = new Readable({ read: () => undefined });
    const opened = openSource(source, {}, false);
    opened.stream.destroy(new Error('the disk is full'));
    await new Promise((resolve) => source.once('close', resolve));
    expect(opened.failure(new Error('the disk is full'))).toBeUndefined();
  });

  it('destroys its source with itself', async () => {
    const source = new Readable({ read: () => undefined });
    open(source).destroy();
    expect(source.destroyed).toBe(true);

    let ended = false;
    async function* generator(): AsyncGenerator<string> {
      try {
        await Promise.resolve();
        yield 'a';
        yield 'b';
      } finally {
        ended = true;
      }
    }
    const stream = open(generator());
    await new Promise((resolve) => stream.once('readable', resolve));
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(true);
  });

  it('is destroyed at once, also over a source that never answers', async () => {
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const stream = open(never);
    stream.read(0);
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
  });
});

describe('discardSource', () => {
  it('says in the words of a storage that an iterable gives no iterator, and leaves it alone', async () => {
    const broken: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => {
        throw new Error('boom');
      },
    };
    const storage = new MapStorage();
    await expect(storage.put('a', broken)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      operation: 'put',
      cause: { message: 'boom' },
    });
    await expect(storage.put('', broken)).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });

  it('destroys a body that was never opened', async () => {
    const stream = new Readable({ read: () => undefined });
    discardSource(stream, undefined);
    expect(stream.destroyed).toBe(true);

    let cancelled: unknown;
    const web = new ReadableStream({
      cancel: (reason) => {
        cancelled = reason ?? true;
      },
    });
    discardSource(web, undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(cancelled).toBeDefined();
  });

  it('takes anything', () => {
    for (const data of [undefined, null, 7, 'a', Buffer.alloc(0), {}]) discardSource(data, undefined);
  });
});
