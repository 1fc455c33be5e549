import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectionError,
  MemoryStorage,
  RetryingStorage,
  TimeoutError,
  TimeoutStorage,
  type StagedFile,
  type Storage,
  type StoredFileStream,
  type TimeoutStorageOptions,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { pass, settle, stopTime } from './fake-time.js';
import { collect } from './recording.js';

let memory: MemoryStorage;
let faulty: FaultyStorage;
let unheard: unknown[];
const onUnheard = (reason: unknown): void => {
  unheard.push(reason);
};

beforeEach(async () => {
  stopTime();
  unheard = [];
  process.on('unhandledRejection', onUnheard);
  memory = new MemoryStorage();
  for (const key of ['a', 'b', 'c']) await memory.put(key, `bytes of ${key}`);
  faulty = new FaultyStorage(memory);
});

afterEach(async () => {
  const left = jest.getTimerCount();
  jest.useRealTimers();
  await settle();
  process.off('unhandledRejection', onUnheard);
  expect({ timers: left, unheard }).toEqual({ timers: 0, unheard: [] });
});

function bounded(options: TimeoutStorageOptions = {}): TimeoutStorage {
  return new TimeoutStorage(faulty, { name: 'media', owns: false, timeout: 1000, idleTimeout: 200, ...options });
}

/** Whether a call is still waiting. */
async function isPending(call: Promise<unknown>): Promise<boolean> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  call.then(end, end);
  await settle();
  return !over;
}

type Hook = Parameters<FaultyStorage['hang']>[0];

const timedOut = (operation: string, message: string): unknown =>
  expect.objectContaining({
    code: 'TIMEOUT',
    name: 'TimeoutError',
    retryable: true,
    storage: 'media',
    operation,
    message,
  });

/** What is bounded as a whole, or has no progress of its own. */
const WHOLE = {
  get: (storage) => storage.get('a'),
  info: (storage) => storage.info('a'),
  exists: (storage) => storage.exists('a'),
  delete: (storage) => storage.delete('a'),
  deleteMany: (storage) => storage.deleteMany(['a']),
  copy: (storage) => storage.copy('a', 'd'),
  move: (storage) => storage.move('a', 'd'),
  url: (storage) => storage.url('a'),
  put: (storage) => storage.put('d', 'whole in memory'),
  stage: (storage) => storage.stage('d', 'whole in memory'),
} as const satisfies Partial<Record<Hook, (storage: Storage) => Promise<unknown>>>;

type Whole = keyof typeof WHOLE;
const words = (method: string): string => `${method}() has not settled within 1000 ms (timeout).`;

describe('a call that takes too long', () => {
  it.each(Object.keys(WHOLE) as Whole[])(
    '%s: that never settles, whatever its signal says, keeps nobody waiting',
    async (method) => {
      faulty.hang(method);
      const call = WHOLE[method](bounded());
      const heard = expect(call).rejects.toEqual(timedOut(method, words(method)));
      await pass(999);
      expect(await isPending(call)).toBe(true);
      await pass(1);
      await heard;
    },
  );

  it.each(Object.keys(WHOLE) as Whole[])('%s: is aborted by its signal', async (method) => {
    let given: AbortSignal | undefined;
    const inner = new Proxy(memory, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== method) return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        return (...args: unknown[]) => {
          given = (args.at(-1) as { signal?: AbortSignal }).signal;
          return new Promise(() => undefined);
        };
      },
    });
    const heard = expect(
      WHOLE[method](new TimeoutStorage(inner, { owns: false, timeout: 50, idleTimeout: 50 })),
    ).rejects.toBeInstanceOf(TimeoutError);
    await settle();
    expect(given?.aborted).toBe(false);
    await pass(50);
    await heard;
    expect(given?.aborted).toBe(true);
    expect((given?.reason as Error).name).toBe('TimeoutError');
  });

  it.each(Object.keys(WHOLE) as Whole[])(
    '%s: in time leaves no timer and no listener on its signal',
    async (method) => {
      const { signal } = new AbortController();
      const storage = bounded();
      const calls: Record<Whole, () => Promise<unknown>> = {
        get: async () => buffer(await storage.get('a', { signal })),
        info: () => storage.info('a', { signal }),
        exists: () => storage.exists('a', { signal }),
        delete: () => storage.delete('a', { signal }),
        deleteMany: () => storage.deleteMany(['a'], { signal }),
        copy: () => storage.copy('a', 'd', { signal }),
        move: () => storage.move('a', 'd', { signal }),
        url: () => storage.url('a', { signal }),
        put: () => storage.put('d', 'd', { signal }),
        stage: async () => (await storage.stage('d', 'd', { signal })).abort(),
      };
      await calls[method]();
      await settle();
      expect(jest.getTimerCount()).toBe(0);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    },
  );

  it('is not heard of again, whether it ends well or fails', async () => {
    const gate = faulty.hold('copy', { on: 1 });
    const late = expect(bounded().copy('a', 'd')).rejects.toBeInstanceOf(TimeoutError);
    await pass(1000);
    await late;
    gate.release();
    await pass(0);
    let reject: ((error: Error) => void) | undefined;
    memory.info = () =>
      new Promise((_resolve, fail) => {
        reject = fail;
      });
    const failing = expect(bounded().info('a')).rejects.toBeInstanceOf(TimeoutError);
    await pass(1000);
    await failing;
    reject?.(new ConnectionError('too late'));
    await pass(0);
  });

  it.each(['commit', 'abort'] as const)('%s of a staged file is bounded too', async (method) => {
    faulty.hang(method, { on: 1 });
    const staged = await bounded().stage('d', 'd');
    const heard = expect(staged[method]()).rejects.toEqual(timedOut(method, words(method)));
    await pass(1000);
    await heard;
  });

  it('open and close are bounded too, where they are this storage’s to call', async () => {
    faulty.hang('open', { on: 1 });
    faulty.hang('close', { on: 1 });
    const storage = bounded({ owns: true });
    const opening = expect(storage.open()).rejects.toEqual(timedOut('open', words('open')));
    await pass(1000);
    await opening;
    await storage.open();
    const closing = expect(storage.close()).rejects.toEqual(timedOut('close', words('close')));
    await pass(1000);
    await closing;
  });

  it('destroys a stream that was opened too late', async () => {
    faulty.settleAfterAbort('get');
    const opened: StoredFileStream[] = [];
    const get = memory.get.bind(memory);
    memory.get = async (...given) => {
      const stream = await get(...given);
      opened.push(stream);
      return stream;
    };
    const heard = expect(bounded().get('a')).rejects.toBeInstanceOf(TimeoutError);
    await pass(1000);
    await heard;
    await pass(0);
    expect(opened.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('removes what was staged too late', async () => {
    faulty.settleAfterAbort('stage');
    const stagedLate: StagedFile[] = [];
    const stage = memory.stage.bind(memory);
    memory.stage = async (...given) => {
      const staged = await stage(...given);
      stagedLate.push(staged);
      return staged;
    };
    const heard = expect(bounded().stage('d', 'd')).rejects.toBeInstanceOf(TimeoutError);
    await pass(1000);
    await heard;
    await pass(0);
    await expect(stagedLate[0]?.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await memory.exists('d')).toBe(false);
  });

  it('is the caller’s AbortError when its own signal fires first', async () => {
    faulty.hold('info');
    const controller = new AbortController();
    const heard = expect(bounded().info('a', { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await settle();
    controller.abort();
    await heard;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('ends in time too when its signal has fired and the storage does not heed it', async () => {
    faulty.hang('info');
    const controller = new AbortController();
    const call = bounded().info('a', { signal: controller.signal });
    const heard = expect(call).rejects.toMatchObject({ code: 'TIMEOUT' });
    await settle();
    controller.abort();
    await pass(1000);
    await heard;
  });
});

/** A source that gives bytes when the test says so. */
function slowSource(): Readable {
  return new Readable({ read: () => undefined });
}

describe.each(['put', 'stage'] as const)('%s of a stream', (method) => {
  it('takes as long as it likes while it goes on', async () => {
    const source = slowSource();
    const call = bounded()[method]('d', source);
    for (let chunk = 0; chunk < 50; chunk++) {
      source.push(Buffer.alloc(100));
      await pass(199);
    }
    source.push(null);
    expect((await call).size).toBe(5000);
  });

  it('ends when nothing comes for too long, and its source is destroyed', async () => {
    const source = slowSource();
    const call = bounded()[method]('d', source);
    const heard = expect(call).rejects.toEqual(
      timedOut(method, `${method}() has not gone on for 200 ms (idleTimeout).`),
    );
    source.push(Buffer.alloc(100));
    await pass(100);
    source.push(Buffer.alloc(100));
    await pass(199);
    expect(await isPending(call)).toBe(true);
    await pass(1);
    await heard;
    expect(source.destroyed).toBe(true);
    expect(await memory.exists('d')).toBe(false);
  });

  it('ends when the storage takes nothing for too long', async () => {
    faulty.hang(method);
    const source = Readable.from([Buffer.alloc(100)], { objectMode: false });
    const heard = expect(bounded()[method]('d', source)).rejects.toEqual(
      timedOut(method, `${method}() has not gone on for 200 ms (idleTimeout).`),
    );
    await pass(200);
    await heard;
    expect(source.destroyed).toBe(true);
  });

  it('may take as long as a call after its last byte, and no longer', async () => {
    faulty.hang(method, { when: 'after' });
    const source = slowSource();
    const call = bounded()[method]('d', source);
    const heard = expect(call).rejects.toEqual(timedOut(method, words(method)));
    source.push(Buffer.alloc(100));
    await pass(150);
    source.push(null);
    await pass(999);
    expect(await isPending(call)).toBe(true);
    await pass(1);
    await heard;
  });

  it('fails with what its source failed with, not with a time-out', async () => {
    const failure = new Error('the client went away');
    const source = slowSource();
    const heard = expect(bounded()[method]('d', source)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      cause: failure,
    });
    source.push(Buffer.alloc(100));
    await settle();
    source.destroy(failure);
    await heard;
  });
});

describe('a stream that is read', () => {
  it('ends when nothing comes for too long while its reader waits', async () => {
    faulty.hang('get', { afterBytes: 3 });
    const stream = await bounded().get('a');
    const read = buffer(stream);
    const heard = expect(read).rejects.toEqual(timedOut('get', 'get() has not gone on for 200 ms (idleTimeout).'));
    await pass(199);
    expect(await isPending(read)).toBe(true);
    await pass(1);
    await heard;
    expect(stream.destroyed).toBe(true);
  });

  it('ends in time too when the stream of the storage cannot even be closed', async () => {
    const get = memory.get.bind(memory);
    memory.get = async (...given) => {
      const { file } = await get(...given);
      return Object.assign(new Readable({ read: () => undefined, destroy: () => undefined }), { file });
    };
    const heard = expect(bounded().get('a').then(buffer)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await pass(200);
    await heard;
  });

  it('waits for a slow reader as long as that likes', async () => {
    await memory.put('long', Buffer.alloc(1 << 20, 'x'));
    let length = 0;
    for await (const chunk of (await bounded().get('long')) as AsyncIterable<Buffer>) {
      length += chunk.length;
      await pass(1000);
    }
    expect(length).toBe(1 << 20);
    // one that nobody reads at all
    const unread = await bounded().get('long');
    await pass(10_000);
    expect(unread.destroyed).toBe(false);
    unread.destroy();
    await settle();
  });

  it('takes as long as it likes while bytes come', async () => {
    const gates = [2, 4, 6].map((afterBytes) => faulty.hold('get', { afterBytes }));
    const read = (await bounded().get('a')).toArray();
    for (const gate of gates) {
      await pass(150);
      gate.release();
    }
    await pass(0);
    expect(Buffer.concat((await read) as Buffer[]).toString()).toBe('bytes of a');
  });

  it('leaves no timer when it is destroyed while it waits', async () => {
    faulty.hang('get', { afterBytes: 3 });
    const stream = await bounded().get('a');
    stream.resume();
    await settle();
    expect(jest.getTimerCount()).toBe(1);
    stream.destroy();
    await settle();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('as a whole by getBytes is bounded between its bytes, not in all', async () => {
    const gates = [2, 4, 6, 8].map((afterBytes) => faulty.hold('get', { afterBytes }));
    const read = bounded({ timeout: 300 }).getBytes('a');
    for (const gate of gates) {
      await pass(150);
      gate.release();
    }
    await pass(0);
    expect((await read).toString()).toBe('bytes of a');
    faulty.hang('get', { afterBytes: 3 });
    const heard = expect(bounded().getBytes('a')).rejects.toMatchObject({
      code: 'TIMEOUT',
      operation: 'getBytes',
      key: 'a',
    });
    await pass(200);
    await heard;
  });
});

describe.each(['list', 'listEntries'] as const)('%s', (method) => {
  it('ends when the next item does not come', async () => {
    faulty.hang(method, { afterItems: 2 });
    const listing = collect<unknown>(bounded()[method]());
    const heard = expect(listing).rejects.toEqual(
      timedOut(method, `${method}() has not gone on for 200 ms (idleTimeout).`),
    );
    await pass(199);
    expect(await isPending(listing)).toBe(true);
    await pass(1);
    await heard;
  });

  it('takes as long as it likes while items come, and while its reader does something else', async () => {
    const gates = [0, 1, 2].map((afterItems) => faulty.hold(method, { afterItems }));
    const listing = (async () => {
      let items = 0;
      for await (const _item of bounded()[method]()) {
        items++;
        await new Promise((resolve) => setTimeout(resolve, 5000));
      }
      return items;
    })();
    for (const gate of gates) {
      await pass(150);
      gate.release();
      await pass(5000);
    }
    expect(await listing).toBe(3);
  });

  it('aborts the other storage’s listing by its signal', async () => {
    let given: AbortSignal | undefined;
    const original = faulty[method].bind(faulty) as (prefix?: string, options?: { signal?: AbortSignal }) => never;
    Object.assign(faulty, {
      [method]: (prefix?: string, options?: { signal?: AbortSignal }) => {
        given = options?.signal;
        return original(prefix, options);
      },
    });
    faulty.hang(method);
    const heard = expect(collect<unknown>(bounded()[method]())).rejects.toBeInstanceOf(TimeoutError);
    await pass(200);
    await heard;
    expect(given?.aborted).toBe(true);
  });

  it('that is left leaves no timer and no listener', async () => {
    const { signal } = new AbortController();
    for await (const _item of bounded()[method]('', { signal })) break;
    expect(jest.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('inside of a RetryingStorage', () => {
  it('a call that hangs is tried again, and so is what hangs in the middle of a stream', async () => {
    faulty.hang('info', { on: 1 });
    faulty.hang('get', { on: 1 });
    faulty.hang('get', { on: 2, afterBytes: 4 });
    const storage = new RetryingStorage(bounded(), { random: () => 0 });
    const info = storage.info('a');
    const read = storage.get('a').then(buffer);
    await pass(1000);
    await pass(1);
    await pass(200);
    await pass(1);
    await pass(0);
    expect((await info).size).toBe(10);
    expect((await read).toString()).toBe('bytes of a');
  });

  it('a listing that hangs goes on behind its last item', async () => {
    faulty.hang('list', { on: 1, afterItems: 2 });
    const listing = collect(new RetryingStorage(bounded(), { random: () => 0 }).list());
    await pass(200);
    await pass(1);
    expect((await listing).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });
});

describe('the settings of a TimeoutStorage', () => {
  it.each([
    [{ timeout: 0 }, 'timeout'],
    [{ timeout: Infinity }, 'timeout'],
    [{ timeout: 2 ** 31 }, 'timeout'],
    [{ idleTimeout: '30s' }, 'idleTimeout'],
    [{ idle: 1 }, 'idle'],
  ])('that cannot be meant are refused by name: %j', (options, field) => {
    expect(() => bounded(options as TimeoutStorageOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringContaining(`TimeoutStorage: ${field}`) as unknown,
      }),
    );
  });
});
