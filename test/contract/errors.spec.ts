import { inspect } from 'node:util';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConfigurationError,
  ConnectionError,
  PermissionError,
  registerName,
  StorageError,
  type OpenedFile,
  type ResolvedPutOptions,
  type StoredFile,
} from 'nestjs-storages';
import { MapStorage } from './map-storage.js';

/** Maps errno codes, as a backend does in its one place. */
class Mapped extends MapStorage {
  protected override _mapError(error: unknown, key: string | undefined): StorageError | undefined {
    const code = (error as { code?: unknown } | null)?.code;
    if (code === 'EACCES') return new PermissionError('The storage refused.', { cause: error, key });
    return undefined;
  }
}

let storage: Mapped;
beforeEach(() => {
  storage = new Mapped();
});

const errno = (code: string): Error => Object.assign(new Error(`${code}: /srv/secret/root`), { code });
const never = (): Readable => new Readable({ read: () => undefined });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('errors of a call', () => {
  it('are the mapped error of the backend, with operation, storage and canonical key', async () => {
    storage._info = () => Promise.reject(errno('EACCES'));
    await expect(storage.info('/a//b')).rejects.toMatchObject({
      name: 'PermissionError',
      code: 'PERMISSION_DENIED',
      operation: 'info',
      storage: 'Mapped',
      key: 'a/b',
      retryable: false,
      cause: { code: 'EACCES' },
    });
  });

  it('are a plain storage error where the backend does not know its own', async () => {
    storage._info = () => Promise.reject(errno('EWEIRD'));
    const error = await storage.info('a').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: 'STORAGE_FAILURE', operation: 'info', key: 'a', cause: { code: 'EWEIRD' } });
    expect((error as Error).message).not.toContain('/srv/secret');
  });

  it('keep what the place that made them knew', async () => {
    const made = new ConnectionError('reset', { operation: 'copy', key: 'other', retryable: false });
    storage._info = () => Promise.reject(made);
    const error = await storage.info('a').catch((reason: unknown) => reason);
    expect(error).toBe(made);
    expect(error).toMatchObject({ operation: 'copy', key: 'other', storage: 'Mapped', retryable: false });
  });

  it('are rejections, also where a hook throws at once', async () => {
    storage._info = () => {
      throw errno('EACCES');
    };
    await expect(storage.info('a')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(storage.exists('a')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('may be anything in a backend, and are a storage error outside', async () => {
    for (const reason of ['text', undefined, null, 7, {}]) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- foreign code may
      storage._info = () => Promise.reject(reason);
      await expect(storage.info('a')).rejects.toMatchObject({ code: 'STORAGE_FAILURE', operation: 'info' });
    }
  });

  it('name the storage as it is registered, and the first registration counts', async () => {
    await expect(new MapStorage({ name: 'mine' }).info('a')).rejects.toMatchObject({ storage: 'mine' });
    storage[registerName]('uploads');
    storage[registerName]('again');
    await expect(storage.info('a')).rejects.toMatchObject({ storage: 'uploads' });
  });

  it('name the field of a wrong setting', () => {
    expect(() => new MapStorage({ keys: 'loose' as never })).toThrow(ConfigurationError);
    expect(() => new MapStorage({ keys: 'loose' as never })).toThrow(/keys/);
  });

  it('refuse a key that is not canonical in strict mode, before the backend is asked', async () => {
    const strict = new MapStorage({ keys: 'strict' });
    await expect(strict.put('/a', '')).rejects.toMatchObject({ code: 'INVALID_KEY', rule: 'not-canonical' });
    await strict.put('a', '');
    await expect(strict.copy('a', 'b/')).rejects.toMatchObject({
      code: 'INVALID_KEY',
      rule: 'not-canonical',
      key: 'b/',
    });
    expect([...strict.objects.keys()]).toEqual(['a']);
  });

  it.each(['put', 'get', 'info', 'delete', 'copy'] as const)('%s refuses options that are none', async (method) => {
    const call = (options: unknown): unknown =>
      method === 'put' || method === 'copy'
        ? storage[method]('a', 'b', options as object)
        : storage[method]('a', options as object);
    for (const options of [null, 'x', []]) {
      await expect(call(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', operation: method });
    }
  });
});

describe('a failing put', () => {
  const failingSource = (): Readable =>
    new Readable({
      read() {
        this.push('abc');
        this.destroy(errno('ECONNRESET'));
      },
    });

  it('blames the source for what the source did', async () => {
    await expect(storage.put('a', failingSource())).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      operation: 'put',
      key: 'a',
      cause: { code: 'ECONNRESET' },
    });
  });

  it('blames the source also where its error is one that the backend would map', async () => {
    const source = never();
    const put = storage.put('a', source);
    await turn();
    source.destroy(errno('EACCES'));
    await expect(put).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: { code: 'EACCES' } });
  });

  it('blames the source that broke before it was opened for nothing but that', async () => {
    const source = failingSource().on('error', () => undefined);
    source.resume();
    await new Promise((resolve) => source.once('close', resolve));
    await expect(storage.put('a', source)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('leaves a storage error of the source as it is: of another storage, for one', async () => {
    const error = new ConnectionError('reset');
    const source = new Readable({
      read() {
        this.destroy(error);
      },
    });
    await expect(storage.put('a', source)).rejects.toBe(error);
  });

  it('blames the backend for what the backend did, and destroys the source', async () => {
    storage._put = async (_key: string, source: Readable): Promise<StoredFile> => {
      for await (const _ of source) throw errno('EACCES');
      throw new Error('unreachable');
    };
    let pushed = 0;
    const source = new Readable({
      read() {
        if (pushed++ < 3) this.push('abc');
      },
    });
    await expect(storage.put('a', source)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', operation: 'put' });
    expect(source.destroyed).toBe(true);
  });

  it('blames the backend that pipes the source into what fails', async () => {
    const { pipeline } = await import('node:stream/promises');
    storage._put = async (_key: string, source: Readable): Promise<StoredFile> => {
      const { Writable } = await import('node:stream');
      await pipeline(
        source,
        new Writable({
          write: (_chunk, _encoding, done) => {
            done(errno('EACCES'));
          },
        }),
      );
      throw new Error('unreachable');
    };
    await expect(storage.put('a', Readable.from(['abc']))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('destroys the source whatever is refused: key, option, capability', async () => {
    const refusals: [string, unknown][] = [
      ['', {}],
      ['a', { size: -1 }],
      ['a', { ifMatch: 'x' }],
      ['a', null],
    ];
    for (const [key, options] of refusals) {
      const source = never();
      await expect(storage.put(key, source, options as object)).rejects.toBeInstanceOf(StorageError);
      expect(source.destroyed).toBe(true);
    }
  });

  it('blames neither for a lie about the length', async () => {
    await expect(storage.put('a', Readable.from(['abc']), { size: 4 })).rejects.toMatchObject({
      code: 'INTEGRITY_FAILED',
    });
    await expect(storage.put('a', 'abc', { size: 4 })).rejects.toMatchObject({
      code: 'INTEGRITY_FAILED',
      operation: 'put',
    });
    expect(storage.objects.size).toBe(0);
  });

  describe('where the hook reads the source directly', () => {
    class Direct extends Mapped {
      protected override readonly _readsSourceDirectly = true;
      got: Readable | undefined;
      override _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
        this.got = source;
        return super._put(key, source, options);
      }
    }

    it('blames the source for its error, and for closing early', async () => {
      const direct = new Direct();
      const source = failingSource();
      await expect(direct.put('a', source)).rejects.toMatchObject({
        code: 'SOURCE_FAILED',
        cause: { code: 'ECONNRESET' },
      });
      expect(direct.got).toBe(source);
      const closing = new Readable({
        read() {
          this.push('a');
          this.destroy();
        },
      });
      await expect(direct.put('a', closing)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
      expect(direct.objects.size).toBe(0);
    });

    it('blames the backend for its own', async () => {
      const direct = new Direct();
      direct._put = () => Promise.reject(errno('EACCES'));
      const source = never();
      await expect(direct.put('a', source)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(source.destroyed).toBe(true);
    });
  });
});

describe('errors that a stream meets after get has resolved', () => {
  const delivering = (body: Readable): void => {
    storage._get = (key): Promise<OpenedFile> => Promise.resolve({ file: storage.find(key).file, body });
  };
  beforeEach(() => storage.put('a', 'abc').then(() => undefined));

  it('are mapped as all others', async () => {
    delivering(
      new Readable({
        read() {
          this.destroy(errno('EACCES'));
        },
      }),
    );
    const stream = await storage.get('a');
    await expect(buffer(stream)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      operation: 'get',
      storage: 'Mapped',
      key: 'a',
      cause: { code: 'EACCES' },
    });
  });

  it('are mapped also where the stream cannot be closed', async () => {
    delivering(
      new Readable({
        read: () => undefined,
        destroy: (_error, callback) => {
          callback(errno('EACCES'));
        },
      }),
    );
    const stream = await storage.get('a');
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.errored).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('end nothing when nobody listens', async () => {
    const body = never();
    delivering(body);
    const stream = await storage.get('a');
    body.destroy(errno('EIO'));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.errored).toMatchObject({ code: 'STORAGE_FAILURE', cause: { code: 'EIO' } });
  });

  it('are mapped for a reader that comes too late', async () => {
    const body = never();
    delivering(body);
    const stream = await storage.get('a');
    body.destroy(errno('EACCES'));
    await new Promise((resolve) => stream.once('close', resolve));
    await expect(buffer(stream)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', operation: 'get' });
  });

  it('are no error when the reader just leaves', async () => {
    delivering(Readable.from(['a', 'b', 'c']));
    const stream = await storage.get('a');
    for await (const _ of stream) break; // and does not throw
    expect(stream.destroyed).toBe(true);
  });

  it('come through progress too, which ends at the size', async () => {
    const seen: unknown[] = [];
    delivering(Readable.from([Buffer.from('ab'), Buffer.from('c')], { objectMode: false }));
    await buffer(await storage.get('a', { onProgress: (progress) => seen.push(progress) }));
    expect(seen).toEqual([
      { transferred: 2, total: 3 },
      { transferred: 3, total: 3 },
    ]);

    delivering(Readable.from([Buffer.from('ab')], { objectMode: false }));
    await expect(buffer(await storage.get('a', { onProgress: () => undefined }))).rejects.toMatchObject({
      code: 'INTEGRITY_FAILED',
      operation: 'get',
    });
  });
});

describe('a storage that is printed', () => {
  it('shows its class, its name and its capabilities only', () => {
    class Secretive extends MapStorage {
      readonly password = 'hunter2';
    }
    const secretive = new Secretive({ name: 'vault' });
    expect(inspect(secretive)).toBe('Secretive(vault)');
    expect(String(secretive)).toBe('Secretive(vault)');
    expect(JSON.parse(JSON.stringify(secretive))).toEqual({
      storage: 'Secretive',
      name: 'vault',
      capabilities: { ...secretive.capabilities },
    });
  });
});
