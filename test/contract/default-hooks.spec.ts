import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectionError,
  defineCapabilities,
  FileNotFoundError,
  PreconditionFailedError,
  type OpenedFile,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedPutOptions,
  type StorageError,
  type StoredFile,
} from 'nestjs-storages';
import { MapStorage } from './map-storage.js';

let storage: MapStorage;
beforeEach(() => {
  storage = new MapStorage();
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

const ATTRIBUTES = {
  contentType: 'text/x-test',
  metadata: { owner: 'ada' },
  cacheControl: 'no-store',
  contentDisposition: 'attachment',
  contentEncoding: 'br',
};

describe('exists by default', () => {
  it('is false only where info says that there is no file', async () => {
    await storage.put('a', '1');
    expect(await storage.exists('a')).toBe(true);
    expect(await storage.exists('b')).toBe(false);
    storage._info = () => Promise.reject(new ConnectionError('reset'));
    await expect(storage.exists('b')).rejects.toMatchObject({ code: 'CONNECTION_FAILED', operation: 'exists' });
  });

  it('understands the error of a backend that is mapped to a missing file', async () => {
    class Mapped extends MapStorage {
      override _info(): Promise<StoredFile> {
        return Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
      }
      override _mapError(_error: unknown, key: string): StorageError {
        return new FileNotFoundError(key);
      }
    }
    expect(await new Mapped().exists('a')).toBe(false);
  });
});

describe('getBytes by default', () => {
  it('drains get, also of a range', async () => {
    await storage.put('a', '0123456789');
    expect(String(await storage.getBytes('a'))).toBe('0123456789');
    expect(String(await storage.getBytes('a', { range: { offset: 3, length: 2 } }))).toBe('34');
    expect(String(await storage.getBytes('a', { range: { suffix: 3 } }))).toBe('789');
  });

  it.each([
    ['shorter', 'abc'],
    ['longer', 'abcdefgh'],
  ])('refuses a body that is %s than its file says', async (_, text) => {
    class Wrong extends MapStorage {
      override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
        return { ...(await super._get(key, options)), body: Readable.from([Buffer.from(text)]) };
      }
    }
    const wrong = new Wrong();
    await wrong.put('a', 'abcde');
    await expect(wrong.getBytes('a')).rejects.toMatchObject({ code: 'INTEGRITY_FAILED', key: 'a' });
  });

  it('does not hand out a version that was not meant, and releases it', async () => {
    let body: Readable | undefined;
    class Forgetful extends MapStorage {
      override _get(key: string): Promise<OpenedFile> {
        body = Readable.from([Buffer.from('abc')]);
        return Promise.resolve({ file: this.find(key).file, body });
      }
    }
    const forgetful = new Forgetful();
    const { etag } = await forgetful.put('a', 'abc');
    for (const read of [
      () => forgetful.getBytes('a', { ifMatch: 'other' }),
      () => forgetful.get('a', { ifNoneMatch: etag }),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
      expect(body?.destroyed).toBe(true);
    }
  });
});

describe('copy by default', () => {
  it('takes bytes and every attribute along', async () => {
    await storage.put('a', 'bytes', ATTRIBUTES);
    const file = await storage.copy('a', 'b');
    expect(file).toMatchObject({ key: 'b', size: 5, ...ATTRIBUTES });
    expect(String(await storage.getBytes('b'))).toBe('bytes');
    expect(await storage.info('a')).toMatchObject(ATTRIBUTES);
  });

  it('never holds more than the chunks of a stream: it is get piped into put', async () => {
    const seen: unknown[] = [];
    class Watched extends MapStorage {
      override _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
        seen.push(options.bytes, options.size);
        return super._put(key, source, options);
      }
    }
    const watched = new Watched();
    await watched.put('a', Readable.from(['12', '34']));
    await watched.copy('a', 'b');
    expect(seen).toEqual([undefined, undefined, undefined, 4]);
  });

  it('names a missing source and leaves the destination', async () => {
    await storage.put('b', 'old');
    await expect(storage.copy('a', 'b')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', key: 'a', operation: 'copy' });
    expect(String(await storage.getBytes('b'))).toBe('old');
  });

  it('fails when the body ends early, and stores nothing', async () => {
    class Short extends MapStorage {
      override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
        return { ...(await super._get(key, options)), body: Readable.from([Buffer.from('a')]) };
      }
    }
    const short = new Short();
    await short.put('a', 'abc');
    await expect(short.copy('a', 'b')).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
    expect(short.objects.has('b')).toBe(false);
  });

  it('releases what it reads when the put fails before it has read anything', async () => {
    const body = new Readable({ read: () => undefined });
    class Failing extends MapStorage {
      fail = false;
      override _get(key: string): Promise<OpenedFile> {
        return Promise.resolve({ file: this.find(key).file, body });
      }
      override _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
        return this.fail ? Promise.reject(new ConnectionError('no')) : super._put(key, source, options);
      }
    }
    const failing = new Failing();
    await failing.put('a', 'abc');
    failing.fail = true;
    await expect(failing.copy('a', 'b')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(body.destroyed).toBe(true);
  });

  it('is ended by its signal', async () => {
    const body = new Readable({ read: () => undefined });
    class Slow extends MapStorage {
      override _get(key: string): Promise<OpenedFile> {
        return Promise.resolve({ file: this.find(key).file, body });
      }
    }
    const slow = new Slow();
    await slow.put('a', 'abc');
    const controller = new AbortController();
    const copy = slow.copy('a', 'b', { signal: controller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(copy).rejects.toMatchObject({ code: 'ABORTED', operation: 'copy', key: 'a' });
    expect(body.destroyed).toBe(true);
    expect(slow.objects.has('b')).toBe(false);
  });
});

describe('copy and move onto itself', () => {
  it.each(['copy', 'move'] as const)('%s never asks the backend to write or delete', async (method) => {
    const file = await storage.put('a/b', 'bytes');
    const write = jest.spyOn(storage, '_put');
    const remove = jest.spyOn(storage, '_delete');
    expect(await storage[method]('a/b', '/a//b')).toEqual(file);
    expect(write).not.toHaveBeenCalled();
    expect(remove).not.toHaveBeenCalled();
    await expect(storage[method]('x', './x')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', key: 'x' });
  });

  it('is refused where the destination was to be created', async () => {
    class Conditional extends MapStorage {
      override readonly capabilities = defineCapabilities({ conditionalCopy: true });
    }
    const conditional = new Conditional();
    await conditional.put('a', '1');
    await expect(conditional.copy('a', 'a', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  });
});

describe('move by default', () => {
  it('removes the source after the destination is there', async () => {
    await storage.put('a', 'bytes', ATTRIBUTES);
    const remove = jest.spyOn(storage, '_delete');
    remove.mockImplementationOnce((key) => {
      expect(storage.objects.has('b')).toBe(true);
      storage.objects.delete(key);
      return Promise.resolve();
    });
    expect(await storage.move('a', 'b')).toMatchObject({ key: 'b', ...ATTRIBUTES });
    expect([...storage.objects.keys()]).toEqual(['b']);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('leaves both when the source cannot be removed, and says so', async () => {
    await storage.put('a', 'bytes');
    storage._delete = () => Promise.reject(new ConnectionError('reset'));
    await expect(storage.move('a', 'b')).rejects.toMatchObject({
      key: 'a',
      operation: 'move',
      retryable: true,
      message: expect.stringContaining('both are there'),
      cause: { code: 'CONNECTION_FAILED' },
    });
    expect([...storage.objects.keys()]).toEqual(['a', 'b']);
  });

  it('that lost a race takes back what it made', async () => {
    await storage.put('a', 'bytes');
    const [first, second] = await Promise.allSettled([storage.move('a', 'b'), storage.move('a', 'c')]);
    const outcomes = [first, second].map(({ status }) => status);
    expect(outcomes.sort()).toEqual(['fulfilled', 'rejected']);
    expect(storage.objects.size).toBe(1);
    expect(storage.objects.has('a')).toBe(false);
  });

  it('has one winner among several with one destination, which keeps the file', async () => {
    await storage.put('a', '1');
    const moves = await Promise.allSettled([1, 2, 3].map(() => storage.move('a', 'b')));
    expect(moves.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect([...storage.objects.keys()]).toEqual(['b']);
  });

  it('leaves what stood at its destination when another move had the source', async () => {
    await storage.put('a', '1');
    await storage.put('c', 'old');
    await Promise.allSettled([storage.move('a', 'b'), storage.move('a', 'c')]);
    expect(String(await storage.getBytes('c'))).toBe('old');
  });

  it('removes only the version that it copied, where the backend can', async () => {
    class Versioned extends MapStorage {
      override readonly capabilities = defineCapabilities({ compareAndSwap: true });
      override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
        if (options.ifMatch !== undefined && this.objects.get(key)?.file.etag !== options.ifMatch) {
          return Promise.reject(new PreconditionFailedError('another version', { key }));
        }
        return super._delete(key, options);
      }
      override async _copy(source: string, destination: string): Promise<StoredFile> {
        const file = await super._copy(source, destination, {});
        await this.put(source, 'written meanwhile');
        return file;
      }
    }
    const versioned = new Versioned();
    await versioned.put('a', 'bytes');
    await expect(versioned.move('a', 'b')).rejects.toMatchObject({ cause: { code: 'PRECONDITION_FAILED' } });
    expect(String(await versioned.getBytes('a'))).toBe('written meanwhile');
    expect(String(await versioned.getBytes('b'))).toBe('bytes');
  });
});

describe('listEntries by default', () => {
  const entries = async (...args: Parameters<MapStorage['listEntries']>): Promise<string[]> =>
    (await all(storage.listEntries(...args))).map((entry) =>
      entry.kind === 'file' ? `file ${entry.file.key}` : `prefix ${entry.prefix}`,
    );

  beforeEach(async () => {
    for (const key of ['a', 'a-b', 'a/1', 'a/2', 'a/c/3', 'a0', 'b/4', 't-/x', 't/x']) await storage.put(key, '');
  });

  it('shows one level, each prefix once, in one byte order', async () => {
    expect(await entries()).toEqual([
      'file a',
      'file a-b',
      'prefix a/',
      'file a0',
      'prefix b/',
      'prefix t-/',
      'prefix t/',
    ]);
    expect(await entries('a/')).toEqual(['file a/1', 'file a/2', 'prefix a/c/']);
    expect(await entries('a')).toEqual(['file a', 'file a-b', 'prefix a/', 'file a0']);
    expect(await entries('nothing')).toEqual([]);
  });

  it('takes another delimiter, of any length', async () => {
    expect(await entries('', { delimiter: '-' })).toEqual([
      'file a',
      'prefix a-',
      'file a/1',
      'file a/2',
      'file a/c/3',
      'file a0',
      'file b/4',
      'prefix t-',
      'file t/x',
    ]);
    await storage.put('x::y::z', '');
    expect(await entries('x', { delimiter: '::' })).toEqual(['prefix x::']);
    expect(await entries('x::', { delimiter: '::' })).toEqual(['prefix x::y::']);
  });

  it('counts entries, not keys, and pages without gap or repetition', async () => {
    const whole = await entries();
    for (const limit of [1, 2, 3]) {
      const pages: string[] = [];
      let startAfter: string | undefined;
      for (;;) {
        const page = await entries('', { limit, ...(startAfter === undefined ? undefined : { startAfter }) });
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(limit);
        pages.push(...page);
        startAfter = page.at(-1)?.replace(/^\w+ /, '');
      }
      expect(pages).toEqual(whole);
    }
  });
});

describe('deleteMany by default', () => {
  it('stops when its signal fires, and lets what was begun end', async () => {
    const controller = new AbortController();
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    let [begun, ended] = [0, 0];
    storage._delete = async () => {
      if (++begun === 20) controller.abort();
      await new Promise((resolve) => setImmediate(resolve));
      ended++;
    };
    await expect(storage.deleteMany(keys, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(begun).toBe(20);
    expect(ended).toBe(20);
  });

  it('gives each key its result, a missing one as deleted, a key that is none as failed', async () => {
    await storage.put('a', '1');
    await storage.put('c', '1');
    const remove = storage._delete.bind(storage);
    storage._delete = (key, options) => (key === 'c' ? Promise.reject(new Error('EIO')) : remove(key, options));
    const report = await storage.deleteMany(['a', 'missing', 'c', '/a', '', 'x\0']);
    expect(report.deleted).toEqual(['a', 'missing']);
    expect(report.failed).toMatchObject([
      { key: '', error: { code: 'INVALID_KEY', rule: 'empty', operation: 'deleteMany' } },
      { key: 'x\0', error: { code: 'INVALID_KEY', rule: 'control-character' } },
      { key: 'c', error: { code: 'STORAGE_FAILURE', operation: 'deleteMany', key: 'c', cause: { message: 'EIO' } } },
    ]);
  });

  it('takes any iterable, and nothing else', async () => {
    expect(await storage.deleteMany(new Set(['a', 'b']))).toEqual({ deleted: ['a', 'b'], failed: [] });
    expect(await storage.deleteMany([])).toEqual({ deleted: [], failed: [] });
    for (const keys of ['abc', null, undefined, 7, {}]) {
      await expect(storage.deleteMany(keys as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('keeps only a few deletions in flight', async () => {
    let running = 0;
    let most = 0;
    storage._delete = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
    expect((await storage.deleteMany(keys)).deleted).toEqual(keys);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });
});

describe('deletePrefix', () => {
  it('removes what begins with the prefix, and nothing else', async () => {
    for (const key of ['users/1/a', 'users/1/b', 'users/10/a', 'users/1', 'Users/1/a']) await storage.put(key, '');
    expect(await storage.deletePrefix('users/1/')).toEqual({ deleted: ['users/1/a', 'users/1/b'], failed: [] });
    expect([...storage.objects.keys()].sort()).toEqual(['Users/1/a', 'users/1', 'users/10/a']);
  });

  it('asks for the empty prefix to be meant', async () => {
    await storage.put('a', '');
    await expect(storage.deletePrefix('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await storage.deletePrefix('', { all: true })).deleted).toEqual(['a']);
  });

  it('hands at most 1,000 keys at once to the backend', async () => {
    for (let i = 0; i < 2001; i++) await storage.put(`k${i}`, '');
    const batches: number[] = [];
    const bulk = storage._deleteMany.bind(storage);
    storage._deleteMany = (keys, options) => {
      batches.push(keys.length);
      return bulk(keys, options);
    };
    expect((await storage.deletePrefix('k')).deleted).toHaveLength(2001);
    expect(batches).toEqual([1000, 1000, 1]);
  });
});

it('uploadUrl that is declared and not written says so', async () => {
  class Declared extends MapStorage {
    override readonly capabilities = defineCapabilities({ uploadUrls: true });
  }
  await expect(new Declared().uploadUrl('a', { expiresIn: 60 })).rejects.toMatchObject({
    code: 'UNSUPPORTED_OPERATION',
    operation: 'uploadUrl',
  });
});
