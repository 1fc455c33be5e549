import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OpenedFile, StoredFile } from 'nestjs-storages';
import { MapStorage } from './map-storage.js';

let storage: MapStorage;
let controller: AbortController;
beforeEach(async () => {
  storage = new MapStorage();
  controller = new AbortController();
  await storage.put('a', 'abc');
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = (): Readable => new Readable({ read: () => undefined });

/** A signal that counts its listeners. */
class CountingSignal extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const add = this.signal.addEventListener.bind(this.signal);
    const remove = this.signal.removeEventListener.bind(this.signal);
    this.signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.listeners++;
      add(...args);
    };
    this.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.listeners--;
      remove(...args);
    };
  }
}

describe('a signal that has fired', () => {
  it('refuses every call before the backend is asked', async () => {
    const signal = AbortSignal.abort(new Error('why'));
    const source = never();
    const hooks = ['_put', '_get', '_info', '_delete', '_list', '_url'] as const;
    for (const hook of hooks) {
      Object.defineProperty(storage, hook, {
        value: () => {
          throw new Error(`${hook} was called`);
        },
      });
    }
    const calls: Record<string, () => unknown> = {
      put: () => storage.put('a', source, { signal }),
      stage: () => storage.stage('a', '', { signal }),
      get: () => storage.get('a', { signal }),
      getBytes: () => storage.getBytes('a', { signal }),
      info: () => storage.info('a', { signal }),
      exists: () => storage.exists('a', { signal }),
      delete: () => storage.delete('a', { signal }),
      deleteMany: () => storage.deleteMany(['a'], { signal }),
      deletePrefix: () => storage.deletePrefix('a', { signal }),
      list: () => storage.list('', { signal })[Symbol.asyncIterator]().next(),
      listEntries: () => storage.listEntries('', { signal })[Symbol.asyncIterator]().next(),
      copy: () => storage.copy('a', 'b', { signal }),
      move: () => storage.move('a', 'b', { signal }),
      url: () => storage.url('a', { signal }),
    };
    for (const [operation, call] of Object.entries(calls)) {
      await expect(call()).rejects.toMatchObject({ code: 'ABORTED', operation, cause: { message: 'why' } });
    }
    expect(source.destroyed).toBe(true);
  });

  it('is a TimeoutError where it was a time-out, which is worth trying again', async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    await expect(storage.info('a', { signal })).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
  });
});

describe('a signal that fires meanwhile', () => {
  it('ends a put whose source never ends, and destroys the source', async () => {
    const source = never();
    const put = storage.put('b', source, { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(put).rejects.toMatchObject({ code: 'ABORTED', operation: 'put', key: 'b' });
    expect(source.destroyed).toBe(true);
    expect(storage.objects.has('b')).toBe(false);
  });

  it.each(['put', 'stage'] as const)('ends a %s of bytes in memory, whose stream nobody reads', async (method) => {
    // an error that nobody listens to ends the process: the runner reports it as this test's failure
    const wait = async (): Promise<never> => {
      await turn();
      await turn();
      throw new Error('too late');
    };
    storage._put = wait;
    jest.spyOn(storage as unknown as { _stage(): Promise<never> }, '_stage').mockImplementation(wait);
    const writing = storage[method]('b', Buffer.from('abc'), { signal: controller.signal });
    controller.abort();
    await expect(writing).rejects.toMatchObject({ code: 'ABORTED', operation: method });
  });

  it('ends a put from an iterator that never answers', async () => {
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const put = storage.put('b', silent, { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(put).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('ends a stage, and leaves alone what was staged before', async () => {
    const staged = await storage.stage('b', 'abc', { signal: controller.signal });
    const staging = storage.stage('c', never(), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(staging).rejects.toMatchObject({ code: 'ABORTED', operation: 'stage', key: 'c' });
    expect(await staged.commit()).toMatchObject({ key: 'b' });
  });

  it('does not undo a call that ended well all the same', async () => {
    storage._put = async (key: string): Promise<StoredFile> => {
      await turn();
      return { ...storage.find('a').file, key };
    };
    const put = storage.put('b', never(), { signal: controller.signal });
    await Promise.resolve();
    controller.abort();
    expect(await put).toMatchObject({ key: 'b' });
  });

  it('ends a stream that is read, and one that is not', async () => {
    storage._get = (key): Promise<OpenedFile> => Promise.resolve({ file: storage.find(key).file, body: never() });
    const read = buffer(await storage.get('a', { signal: controller.signal }));
    const unread = await storage.get('a', { signal: controller.signal });
    controller.abort();
    await expect(read).rejects.toMatchObject({ code: 'ABORTED', operation: 'get', key: 'a' });
    expect(unread.destroyed).toBe(true);
  });

  it('ends a get that resolves too late, and releases what it opened', async () => {
    const body = never();
    storage._get = async (key): Promise<OpenedFile> => {
      await turn();
      return { file: storage.find(key).file, body };
    };
    const get = storage.get('a', { signal: controller.signal });
    controller.abort();
    await expect(get).rejects.toMatchObject({ code: 'ABORTED' });
    expect(body.destroyed).toBe(true);
  });

  it('ends getBytes in the middle, and releases what it opened', async () => {
    const body = never();
    storage._get = (key): Promise<OpenedFile> => Promise.resolve({ file: storage.find(key).file, body });
    const get = storage.getBytes('a', { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(get).rejects.toMatchObject({ code: 'ABORTED', operation: 'getBytes' });
    expect(body.destroyed).toBe(true);
  });

  it('ends a listing between two items', async () => {
    await storage.put('b', '');
    const listing = storage.list('', { signal: controller.signal })[Symbol.asyncIterator]();
    await listing.next();
    controller.abort();
    await expect(listing.next()).rejects.toMatchObject({ code: 'ABORTED', operation: 'list' });
  });

  it('says that it was aborted, whatever the backend made of it', async () => {
    storage._info = async (): Promise<StoredFile> => {
      await turn();
      throw new Error('socket hang up');
    };
    const info = storage.info('a', { signal: controller.signal });
    controller.abort();
    await expect(info).rejects.toMatchObject({ code: 'ABORTED', operation: 'info' });
  });
});

describe('the listeners on a signal', () => {
  it('are gone when the calls have settled, ended well or not', async () => {
    const counting = new CountingSignal();
    const { signal } = counting;
    for (let i = 0; i < 100; i++) {
      await storage.put('b', Readable.from(['abc']), { signal });
      await storage.put('c', 'abc', { signal });
      await expect(storage.put('b', 'abc', { signal, size: 4 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
      await buffer(await storage.get('b', { signal }));
      (await storage.get('b', { signal })).destroy();
      await storage.getBytes('b', { signal });
      await storage.copy('b', 'd', { signal });
      await storage.move('d', 'e', { signal });
      await expect(storage.get('missing', { signal })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
      await (await storage.stage('f', 'abc', { signal })).commit();
      for await (const _ of storage.list('', { signal })) break;
    }
    await turn();
    expect(counting.listeners).toBe(0);
  });

  it('are there while a stream is open, one for each', async () => {
    const counting = new CountingSignal();
    const first = await storage.get('a', counting);
    const second = await storage.get('a', counting);
    expect(counting.listeners).toBe(2);
    first.destroy();
    await buffer(second);
    await turn();
    expect(counting.listeners).toBe(0);
  });
});
