import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { isStorage, type OpenedFile, type StoredFile } from 'nestjs-storages';
import { MapStorage } from './map-storage.js';

/** Writes down when it is opened and closed. */
class Opened extends MapStorage {
  readonly log: string[] = [];
  readonly outcomes: (() => Promise<void>)[] = [];

  protected override async _open(): Promise<void> {
    this.log.push('open');
    await this.outcomes.shift()?.();
  }

  protected override _close(): Promise<void> {
    this.log.push('close');
    return Promise.resolve();
  }
}

let storage: Opened;
beforeEach(() => {
  storage = new Opened();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('open', () => {
  it('happens once, before the first call, however many calls come at once', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, i) => storage.put(`k${i}`, '')));
    await storage.open();
    expect(storage.log).toEqual(['open']);
    expect(storage.objects.size).toBe(10);
  });

  it('that failed is made again by the next call', async () => {
    storage.outcomes.push(() => Promise.reject(new Error('refused')));
    const first = storage.put('a', '1');
    const second = storage.exists('a');
    await expect(first).rejects.toMatchObject({
      code: 'STORAGE_FAILURE',
      operation: 'put',
      cause: { message: 'refused' },
    });
    await expect(second).rejects.toMatchObject({ operation: 'exists' });
    expect(storage.log).toEqual(['open']);
    await storage.put('a', '1');
    await storage.put('b', '1');
    expect(storage.log).toEqual(['open', 'open']);
  });

  it('that failed leaves nothing to close', async () => {
    storage.outcomes.push(() => Promise.reject(new Error('refused')));
    await expect(storage.open()).rejects.toMatchObject({ operation: 'open' });
    await storage.close();
    expect(storage.log).toEqual(['open']);
  });

  it.each(['put', 'stage'] as const)('hears the source of a %s that fails meanwhile', async (method) => {
    const source = new Readable({ read: () => undefined });
    // an error that nobody listens to ends the process: the runner reports it as this test's failure
    storage.outcomes.push(async () => {
      source.destroy(new Error('gone'));
      await turn();
    });
    await expect(storage[method]('a', source)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      operation: method,
      cause: { message: 'gone' },
    });
    expect(storage.objects.size).toBe(0);
  });

  it('lets a signal end the source of a put meanwhile, and keeps no listener when it fails', async () => {
    const controller = new AbortController();
    const source = new Readable({ read: () => undefined });
    storage.outcomes.push(async () => {
      controller.abort();
      await turn();
    });
    await expect(storage.put('a', source, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(source.destroyed).toBe(true);

    const other = new AbortController();
    const failing = new Opened();
    failing.outcomes.push(() => Promise.reject(new Error('refused')));
    await expect(failing.put('a', 'x', { signal: other.signal })).rejects.toMatchObject({ operation: 'put' });
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
  });

  it('does not happen for a put that is refused anyway', async () => {
    await expect(storage.put('', 'x')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(storage.put('a', 'x', { size: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(storage.log).toEqual([]);
  });

  it('is awaited by a close that comes meanwhile', async () => {
    let connected = (): void => undefined;
    storage.outcomes.push(() => new Promise((resolve) => (connected = resolve)));
    const put = storage.put('a', '1');
    const close = storage.close();
    await turn();
    expect(storage.log).toEqual(['open']);
    connected();
    expect(await put).toMatchObject({ key: 'a' });
    await close;
    expect(storage.log).toEqual(['open', 'close']);
  });

  it('does not happen for a listing that nobody reads', async () => {
    storage.list();
    await turn();
    expect(storage.log).toEqual([]);
    for await (const _ of storage.list()) continue;
    expect(storage.log).toEqual(['open']);
  });
});

describe('close', () => {
  it('happens once, however often it is asked for', async () => {
    await storage.open();
    await Promise.all([storage.close(), storage.close(), storage[Symbol.asyncDispose]()]);
    await storage.close();
    expect(storage.log).toEqual(['open', 'close']);
  });

  it('of a storage that was never used has nothing to do', async () => {
    await storage.close();
    expect(storage.log).toEqual([]);
  });

  it('refuses every later call', async () => {
    await storage.close();
    const source = new Readable({ read: () => undefined });
    const calls: Record<string, () => unknown> = {
      put: () => storage.put('a', source),
      stage: () => storage.stage('a', ''),
      get: () => storage.get('a'),
      getBytes: () => storage.getBytes('a'),
      info: () => storage.info('a'),
      exists: () => storage.exists('a'),
      delete: () => storage.delete('a'),
      deleteMany: () => storage.deleteMany(['a']),
      deletePrefix: () => storage.deletePrefix('a'),
      list: () => storage.list()[Symbol.asyncIterator]().next(),
      listEntries: () => storage.listEntries()[Symbol.asyncIterator]().next(),
      copy: () => storage.copy('a', 'b'),
      move: () => storage.move('a', 'b'),
      url: () => storage.url('a'),
      uploadUrl: () => storage.uploadUrl('a', { expiresIn: 60 }),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await expect(call()).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation });
    }
    expect(source.destroyed).toBe(true);
  });

  it('is undone by open, once, however many ask for it', async () => {
    await storage.put('a', '1');
    const closing = storage.close();
    await Promise.all([storage.open(), storage.open(), closing]);
    await storage.put('b', '1');
    expect(storage.log).toEqual(['open', 'close', 'open']);
    await storage.close();
    await expect(storage.put('c', '1')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    expect(storage.log).toEqual(['open', 'close', 'open', 'close']);
  });

  it('lets a put in flight settle first', async () => {
    const source = new Readable({ read: () => undefined });
    const put = storage.put('a', source);
    await turn();
    let closed = false;
    const close = storage.close().then(() => (closed = true));
    await turn();
    expect(closed).toBe(false);
    expect(storage.log).toEqual(['open']);
    source.push('abc');
    source.push(null);
    expect(await put).toMatchObject({ size: 3 });
    await close;
    expect(storage.log).toEqual(['open', 'close']);
  });

  it('ends the streams that are still open, read or not, and leaves those that have ended', async () => {
    await storage.put('a', 'abc');
    const ended = await storage.get('a');
    await buffer(ended);
    let bodies = 0;
    storage._get = () => {
      bodies++;
      return Promise.resolve<OpenedFile>({
        file: storage.find('a').file,
        body: new Readable({ read: () => undefined }),
      });
    };
    const unread = await storage.get('a');
    const reading = await storage.get('a');
    const read = buffer(reading);
    await storage.close();
    await expect(read).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation: 'get', key: 'a' });
    expect(unread.destroyed).toBe(true);
    expect(unread.errored).toMatchObject({ code: 'STORAGE_CLOSED' });
    expect(ended.errored).toBeNull();
    expect(bodies).toBe(2);
  });

  it('ends a listing at its next step, and the iterator of the backend with it', async () => {
    let ended = false;
    storage._list = async function* (): AsyncGenerator<StoredFile> {
      try {
        for (;;) {
          await turn();
          yield storage.find('a').file;
        }
      } finally {
        ended = true;
      }
    };
    await storage.put('a', '');
    const listing = storage.list()[Symbol.asyncIterator]();
    await listing.next();
    await storage.close();
    await expect(listing.next()).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation: 'list' });
    expect(ended).toBe(true);
    expect(await listing.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects with a storage error when the backend cannot close', async () => {
    class Stuck extends MapStorage {
      protected override _close(): Promise<void> {
        return Promise.reject(new Error('EIO'));
      }
    }
    const stuck = new Stuck();
    await stuck.open();
    await expect(stuck.close()).rejects.toMatchObject({
      code: 'STORAGE_FAILURE',
      operation: 'close',
      cause: { message: 'EIO' },
    });
  });
});

describe('a listing', () => {
  /** Yields for ever, and says whether it was ended. */
  const endless = (state: { steps: number; ended: boolean }) =>
    async function* (): AsyncGenerator<StoredFile> {
      try {
        for (;;) {
          await Promise.resolve();
          state.steps++;
          yield { key: `k${state.steps}` } as StoredFile;
        }
      } finally {
        state.ended = true;
      }
    };

  it('ends the backend when its reader leaves, and at its limit', async () => {
    const left = { steps: 0, ended: false };
    storage._list = endless(left);
    for await (const _ of storage.list()) break;
    expect(left).toEqual({ steps: 1, ended: true });

    const limited = { steps: 0, ended: false };
    storage._list = endless(limited);
    const keys: string[] = [];
    for await (const file of storage.list('', { limit: 3 })) keys.push(file.key);
    expect(keys).toEqual(['k1', 'k2', 'k3']);
    expect(limited).toEqual({ steps: 3, ended: true });
  });

  it('of limit 0 does not ask the backend', async () => {
    storage._list = () => {
      throw new Error('asked');
    };
    for await (const _ of storage.list('', { limit: 0 })) continue;
    for await (const _ of storage.listEntries('', { limit: 0 })) continue;
  });

  it('reads nothing before it is asked, and one item for each step', async () => {
    const state = { steps: 0, ended: false };
    storage._list = endless(state);
    const listing = storage.list();
    await turn();
    expect(state.steps).toBe(0);
    const iterator = listing[Symbol.asyncIterator]();
    await iterator.next();
    await turn();
    expect(state.steps).toBe(1);
    await iterator.return?.();
    expect(state.ended).toBe(true);
  });

  it('can be read twice', async () => {
    await storage.put('a', '');
    const listing = storage.list();
    for (let i = 0; i < 2; i++) {
      const keys: string[] = [];
      for await (const file of listing) keys.push(file.key);
      expect(keys).toEqual(['a']);
    }
  });

  it('gives a storage error, and is at its end then', async () => {
    storage._list = async function* (): AsyncGenerator<StoredFile> {
      yield { key: 'a' } as StoredFile;
      await Promise.resolve();
      throw new Error('EIO');
    };
    const iterator = storage.list()[Symbol.asyncIterator]();
    await iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({
      code: 'STORAGE_FAILURE',
      operation: 'list',
      cause: { message: 'EIO' },
    });
    expect(await iterator.next()).toMatchObject({ done: true });
  });

  it('that cannot be ended cleanly says so with a storage error', async () => {
    storage._list = async function* (): AsyncGenerator<StoredFile> {
      try {
        await Promise.resolve();
        yield { key: 'a' } as StoredFile;
      } finally {
        // eslint-disable-next-line no-unsafe-finally -- a backend whose descriptor does not close
        throw new Error('EBADF');
      }
    };
    const leave = async (): Promise<void> => {
      for await (const _ of storage.list()) break;
    };
    await expect(leave()).rejects.toMatchObject({ code: 'STORAGE_FAILURE', operation: 'list' });
  });

  it('checks its arguments at the first step', async () => {
    for (const [prefix, options] of [[7], ['\ud800'], ['', { limit: -1 }], ['', null]] as [
      string,
      object | undefined,
    ][]) {
      await expect(storage.list(prefix, options)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        operation: 'list',
      });
    }
  });
});

describe('isStorage', () => {
  it('asks for the methods, not for the class', () => {
    expect(isStorage(storage)).toBe(true);
    const methods = Object.fromEntries(
      [
        'put',
        'stage',
        'get',
        'getBytes',
        'info',
        'exists',
        'delete',
        'deleteMany',
        'deletePrefix',
        'list',
        'listEntries',
        'copy',
        'move',
        'url',
        'uploadUrl',
        'close',
      ].map((method) => [method, () => undefined]),
    );
    const whole = { ...methods, [Symbol.asyncDispose]: () => undefined, capabilities: {} };
    expect(isStorage(whole)).toBe(true);
    for (const method of Reflect.ownKeys(whole)) {
      expect(isStorage({ ...whole, [method]: undefined })).toBe(false);
    }
    for (const value of [null, undefined, 'x', 7, {}, [], () => undefined]) expect(isStorage(value)).toBe(false);
  });
});
