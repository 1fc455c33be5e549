import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectionError,
  MemoryStorage,
  PermissionError,
  QuotaExceededError,
  RetryingStorage,
  StorageError,
  type RetryingStorageOptions,
  type Storage,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { pass, settled, stopTime } from './fake-time.js';
import { collect, recording } from './recording.js';

let memory: MemoryStorage;
let faulty: FaultyStorage;
let calls: string[];
let inner: Storage;

beforeEach(async () => {
  stopTime();
  memory = new MemoryStorage();
  await memory.put('a', 'bytes of a');
  await memory.put('c', 'c');
  faulty = new FaultyStorage(memory);
  ({ calls, storage: inner } = recording(faulty));
});

afterEach(() => {
  const left = jest.getTimerCount();
  jest.useRealTimers();
  expect(left).toBe(0);
});

function retrying(options: RetryingStorageOptions = {}): RetryingStorage {
  return new RetryingStorage(inner, { name: 'media', owns: false, ...options });
}

/** What comes of a call, once all its waits are over. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  const result = await settled(call);
  return result.status === 'fulfilled' ? result.value : (result.reason as unknown);
}

async function failureOf(call: Promise<unknown>): Promise<StorageError> {
  const result = await settled(call);
  if (result.status === 'rejected' && result.reason instanceof StorageError) return result.reason;
  throw new Error('It did not fail with a StorageError.');
}

type Method = Parameters<FaultyStorage['fail']>[0];

const countOf = (method: string): number => calls.filter((call) => call === method).length;

/** Calls that may be made twice, and how their result shows that they were made. */
const REPEATED = {
  put: (storage) => storage.put('b', 'b').then(() => memory.exists('b')),
  stage: async (storage) => (await (await storage.stage('b', 'b')).commit()).size === 1,
  get: async (storage) => (await buffer(await storage.get('a'))).equals(Buffer.from('bytes of a')),
  getBytes: async (storage) => (await storage.getBytes('a')).equals(Buffer.from('bytes of a')),
  info: async (storage) => (await storage.info('a')).size === 10,
  exists: (storage) => storage.exists('a'),
  delete: (storage) => storage.delete('a').then(async () => !(await memory.exists('a'))),
  deleteMany: async (storage) => (await storage.deleteMany(['a', 'c'])).deleted.length === 2,
  list: async (storage) => (await collect(storage.list())).length === 2,
  listEntries: async (storage) => (await collect(storage.listEntries())).length === 2,
  copy: (storage) => storage.copy('a', 'b').then(() => memory.exists('b')),
  move: (storage) => storage.move('a', 'b').then(async () => !(await memory.exists('a'))),
  url: async (storage) => (await storage.url('a')) === 'memory:///a',
} as const satisfies Partial<Record<Method, (storage: Storage) => Promise<boolean>>>;

type Repeated = keyof typeof REPEATED;

describe('what fails with a retryable error', () => {
  const sequences = (Object.keys(REPEATED) as Repeated[]).flatMap((method) =>
    [1, 2, 3].map((failures) => [method, failures] as const),
  );

  it.each(sequences)(
    '%s: is tried again after %d failures, and its success is the answer',
    async (method, failures) => {
      for (let on = 1; on <= failures; on++) faulty.fail(method, { on });
      expect(await outcome(REPEATED[method](retrying()))).toBe(true);
      // a listing is one call of the fault injector at its first step
      expect(countOf(method)).toBe(failures + 1);
    },
  );

  it.each(Object.keys(REPEATED) as Repeated[])(
    '%s: is given up after as many tries as allowed, with the last error, which says so',
    async (method) => {
      for (const on of [1, 2, 3]) faulty.fail(method, { on });
      faulty.fail(method, { on: 4, error: new ConnectionError('The last straw.') });
      const error = await failureOf(REPEATED[method](retrying()));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({
        code: 'CONNECTION_FAILED',
        retryable: true,
        storage: 'media',
        operation: method,
        message: 'The last straw. (Tried 4 times.)',
      });
      expect(countOf(method)).toBe(4);
    },
  );

  it.each(Object.keys(REPEATED) as Repeated[])(
    '%s: an error that is not retryable is the answer at once',
    async (method) => {
      faulty.fail(method, { error: new PermissionError('No.') });
      expect(await failureOf(REPEATED[method](retrying()))).toMatchObject({
        code: 'PERMISSION_DENIED',
        message: 'No.',
      });
      expect(countOf(method)).toBe(1);
    },
  );

  it.each(Object.keys(REPEATED) as Repeated[])(
    '%s: an answer that was lost makes no failure of what was done',
    async (method) => {
      faulty.fail(method, { on: 1, when: 'after' });
      const result = outcome(REPEATED[method](retrying()));
      if (method === 'move') expect(await result).toMatchObject({ code: 'CONNECTION_FAILED' });
      else expect(await result).toBe(true);
    },
  );

  it('opens again what could not be opened', async () => {
    faulty.fail('open', { on: 1 });
    const storage = retrying({ owns: true });
    expect(await outcome(storage.open())).toBeUndefined();
    expect(countOf('open')).toBe(2);
  });

  it('is judged by `retry` too', async () => {
    faulty.fail('put', { error: new QuotaExceededError('Full.') });
    const storage = retrying({ retry: ({ code }) => code !== 'QUOTA_EXCEEDED' });
    expect(await failureOf(storage.put('b', 'b'))).toMatchObject({ code: 'QUOTA_EXCEEDED', message: 'Full.' });
    expect(countOf('put')).toBe(1);
  });

  it('is not made retryable by `retry`', async () => {
    faulty.fail('info', { error: new PermissionError('No.') });
    expect(await failureOf(retrying({ retry: () => true }).info('a'))).toMatchObject({ message: 'No.' });
    expect(countOf('info')).toBe(1);
  });
});

describe('the waits between tries', () => {
  it('double from minDelay to maxDelay, and are the part of it that chance gives', async () => {
    faulty.fail('info');
    const times: number[] = [];
    const info = inner.info.bind(inner);
    inner = Object.assign(Object.create(inner) as Storage, {
      info: (...given: Parameters<Storage['info']>) => {
        times.push(performance.now());
        return info(...given);
      },
    });
    await failureOf(retrying({ attempts: 6, minDelay: 100, maxDelay: 500, random: () => 0.5 }).info('a'));
    const waits = times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
    expect(waits).toEqual([50, 100, 200, 250, 250]);
  });

  it('are never so long that a try would begin after the deadline', async () => {
    faulty.fail('info');
    const storage = retrying({ attempts: 100, minDelay: 400, maxDelay: 400, deadline: 1000, random: () => 1 });
    const begun = performance.now();
    expect(await failureOf(storage.info('a'))).toMatchObject({
      message: expect.stringContaining('(Tried 3 times.)') as unknown,
    });
    expect(performance.now() - begun).toBeLessThanOrEqual(1000);
    expect(countOf('info')).toBe(3);
  });

  it('end at once when the signal fires', async () => {
    faulty.fail('info');
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = retrying({ minDelay: 5000, random: () => 1 }).info('a', { signal: controller.signal });
    const heard = expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    await pass(0);
    expect(jest.getTimerCount()).toBe(1);
    controller.abort(reason);
    await heard;
    expect(countOf('info')).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('leave no listener on a signal that did not fire', async () => {
    faulty.fail('info', { on: 1 });
    const { signal } = new AbortController();
    await outcome(retrying().info('a', { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('what must not be done twice', () => {
  it.each(['put', 'stage'] as const)('%s of a stream is sent once, and the stream is destroyed', async (method) => {
    faulty.fail(method);
    const source = Readable.from([Buffer.from('b')], { objectMode: false });
    expect(await failureOf(retrying()[method]('b', source))).toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(countOf(method)).toBe(1);
    expect(source.destroyed).toBe(true);
  });

  it.each(['put', 'stage'] as const)('%s of an iterable or a Blob is sent once', async (method) => {
    faulty.fail(method);
    async function* iterable(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('b'));
    }
    for (const data of [iterable(), new Blob(['b'])]) await failureOf(retrying()[method]('b', data));
    expect(countOf(method)).toBe(2);
  });

  const CONDITIONAL: readonly (readonly [Method, (storage: Storage, etag: string) => Promise<unknown>])[] = [
    ['put', (storage) => storage.put('b', 'b', { ifNoneMatch: '*' })],
    ['put', (storage, ifMatch) => storage.put('a', 'b', { ifMatch })],
    ['delete', (storage, ifMatch) => storage.delete('a', { ifMatch })],
    ['copy', (storage) => storage.copy('a', 'b', { ifNoneMatch: '*' })],
    ['move', (storage) => storage.move('a', 'b', { ifNoneMatch: '*' })],
  ];

  it.each(CONDITIONAL)('%s under a condition is tried once: it may have been done (%#)', async (method, call) => {
    const { etag } = await memory.info('a');
    faulty.fail(method, { when: 'after' });
    expect(await failureOf(call(retrying(), etag))).toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(countOf(method)).toBe(1);
  });

  it('the commit of a staged file is tried once', async () => {
    const fault = faulty.fail('commit');
    const staged = await retrying().stage('b', 'b');
    expect(await failureOf(staged.commit())).toMatchObject({ code: 'CONNECTION_FAILED', operation: 'commit' });
    expect(fault.hits).toBe(1);
  });

  it('a staged file under a condition is staged again, since nothing is decided before the commit', async () => {
    faulty.fail('stage', { on: 1 });
    const staging = retrying().stage('b', 'b', { ifNoneMatch: '*' });
    await outcome(staging);
    expect((await (await staging).commit()).key).toBe('b');
  });

  it('the removal of a staged file is tried again', async () => {
    const fault = faulty.fail('abort', { on: 1 });
    const staged = await retrying().stage('b', 'b');
    expect(await outcome(staged.abort())).toBeUndefined();
    expect(fault.hits).toBe(1);
  });

  it('closing is tried once', async () => {
    const fault = faulty.fail('close');
    const storage = retrying({ owns: true });
    await storage.open();
    expect(await failureOf(storage.close())).toMatchObject({ code: 'CONNECTION_FAILED', operation: 'close' });
    expect(fault.hits).toBe(1);
  });
});

describe('a repetition that finds what the first try has done', () => {
  it('delete that finds nothing has succeeded', async () => {
    faulty.fail('delete', { on: 1, when: 'after' });
    expect(await outcome(retrying().delete('a'))).toBeUndefined();
    expect(await memory.exists('a')).toBe(false);
  });

  it('delete that finds nothing at the first try has not', async () => {
    expect(await failureOf(retrying().delete('gone'))).toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('move whose source is gone fails with the first error', async () => {
    faulty.fail('move', { on: 1, when: 'after', error: new ConnectionError('The answer was lost.') });
    expect(await failureOf(retrying().move('a', 'b'))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: 'The answer was lost. (Tried 2 times.)',
    });
    expect(await memory.exists('b')).toBe(true);
  });

  it('move of a source that was never there says so', async () => {
    expect(await failureOf(retrying().move('gone', 'b'))).toMatchObject({ code: 'FILE_NOT_FOUND', key: 'gone' });
    expect(countOf('move')).toBe(1);
  });
});

describe('deleteMany', () => {
  it('tries again only the keys that failed and may succeed, and gives each key its result', async () => {
    const given: string[][] = [];
    const answers = [
      {
        deleted: ['a'],
        failed: [
          { key: 'b', error: new ConnectionError('busy') },
          { key: 'c', error: new PermissionError('no') },
        ],
      },
      { deleted: ['b'], failed: [] },
    ];
    inner = Object.assign(Object.create(memory) as Storage, {
      capabilities: memory.capabilities,
      deleteMany: (keys: Iterable<string>) => {
        given.push([...keys]);
        return Promise.resolve(answers.shift() ?? { deleted: [], failed: [] });
      },
    });
    const report = (await outcome(retrying().deleteMany(['a', 'b', 'c']))) as Awaited<
      ReturnType<Storage['deleteMany']>
    >;
    expect(given).toEqual([['a', 'b', 'c'], ['b']]);
    expect(report.deleted).toEqual(['a', 'b']);
    expect(report.failed).toEqual([
      { key: 'c', error: expect.objectContaining({ code: 'PERMISSION_DENIED', message: 'no' }) },
    ]);
  });

  it('keeps the results of a try when the next one fails as a whole', async () => {
    let call = 0;
    inner = Object.assign(Object.create(memory) as Storage, {
      capabilities: memory.capabilities,
      deleteMany: () =>
        ++call === 1
          ? Promise.resolve({ deleted: ['a'], failed: [{ key: 'b', error: new ConnectionError('busy') }] })
          : Promise.reject(new PermissionError('no')),
    });
    expect(await outcome(retrying().deleteMany(['a', 'b']))).toMatchObject({
      deleted: ['a'],
      failed: [{ key: 'b', error: { code: 'CONNECTION_FAILED', storage: 'media' } }],
    });
    expect(call).toBe(2);
  });

  it('is what deletePrefix deletes by', async () => {
    faulty.fail('deleteMany', { on: 1 });
    faulty.fail('list', { on: 1 });
    expect(await outcome(retrying().deletePrefix('', { all: true }))).toEqual({ deleted: ['a', 'c'], failed: [] });
  });
});

describe('a listing that breaks off', () => {
  const keys = ['a', 'c', 'd/1', 'd/2', 'e', 'f/1', 'g'];
  beforeEach(async () => {
    for (const key of keys) await memory.put(key, key);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'after %d items goes on behind the last one, in order, nothing twice',
    async (afterItems) => {
      faulty.failReading('list', { on: 1, afterItems });
      const listed = (await outcome(collect(retrying().list()))) as { key: string }[];
      expect(listed.map(({ key }) => key)).toEqual(keys);
      expect(countOf('list')).toBe(2);
    },
  );

  it.each([0, 1, 2, 3, 4, 5])('after %d entries of a folder goes on behind the last one', async (afterItems) => {
    faulty.failReading('listEntries', { on: 1, afterItems });
    const entries = await outcome(collect(retrying().listEntries()));
    expect(entries).toEqual(await collect(memory.listEntries()));
    expect(countOf('listEntries')).toBe(2);
  });

  it('gives no more than its limit, and asks for no more than is missing', async () => {
    faulty.failReading('list', { on: 1, afterItems: 2 });
    const asked: unknown[] = [];
    const list = faulty.list.bind(faulty);
    faulty.list = (prefix, options) => {
      asked.push(options);
      return list(prefix, options);
    };
    const listed = (await outcome(collect(retrying().list('', { limit: 4, startAfter: 'a' })))) as { key: string }[];
    expect(listed.map(({ key }) => key)).toEqual(['c', 'd/1', 'd/2', 'e']);
    expect(asked).toMatchObject([
      { limit: 4, startAfter: 'a' },
      { limit: 2, startAfter: 'd/1' },
    ]);
  });

  it('again and again comes to its end all the same, since each time it has come further', async () => {
    faulty.failReading('list', { afterItems: 1 });
    const listed = (await outcome(collect(retrying({ attempts: 2 }).list()))) as { key: string }[];
    expect(listed.map(({ key }) => key)).toEqual(keys);
  });

  it('and comes no further is given up', async () => {
    faulty.failReading('list', { on: 1, afterItems: 3 });
    for (const on of [2, 3, 4]) faulty.fail('list', { on });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { key } of retrying().list()) seen.push(key);
    })();
    expect(await failureOf(reading)).toMatchObject({ message: expect.stringContaining('(Tried 4 times.)') as unknown });
    expect(seen).toEqual(['a', 'c', 'd/1']);
  });

  it('is left by its reader without another try, and the inner listing is ended', async () => {
    let ended = 0;
    inner = Object.assign(Object.create(memory) as Storage, {
      capabilities: memory.capabilities,
      list: async function* list() {
        try {
          yield* memory.list();
        } finally {
          ended++;
        }
      },
    });
    for await (const { key } of retrying().list()) {
      expect(key).toBe('a');
      break;
    }
    expect(ended).toBe(1);
  });
});

describe('a stream that breaks off', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
  let etag: string;
  beforeEach(async () => {
    ({ etag } = await memory.put('long', bytes));
  });

  it.each([0, 1, 500, 999, 1000])('after %d bytes goes on with the rest, of the same version', async (afterBytes) => {
    faulty.failReading('get', { on: 1, afterBytes });
    const asked: unknown[] = [];
    const get = faulty.get.bind(faulty);
    faulty.get = (key, options) => {
      asked.push([options?.range, options?.ifMatch]);
      return get(key, options);
    };
    const read = outcome(retrying().get('long').then(buffer));
    expect(bytes.equals((await read) as Buffer)).toBe(true);
    // of what has nothing more to give nothing is asked
    expect(asked).toEqual([
      [undefined, undefined],
      ...(afterBytes === 1000 ? [] : [[{ offset: afterBytes, length: 1000 - afterBytes }, etag]]),
    ]);
  });

  it('within a range goes on within it', async () => {
    faulty.failReading('get', { on: 1, afterBytes: 20 });
    const read = outcome(
      retrying()
        .get('long', { range: { offset: 100, length: 50 } })
        .then(buffer),
    );
    expect(bytes.subarray(100, 150).equals((await read) as Buffer)).toBe(true);
    faulty.failReading('get', { on: 1, afterBytes: 20 });
    const suffix = outcome(
      retrying()
        .get('long', { range: { suffix: 30 } })
        .then(buffer),
    );
    expect(bytes.subarray(970).equals((await suffix) as Buffer)).toBe(true);
  });

  it('without an error, but too soon, goes on too', async () => {
    faulty.endEarly('get', { on: 1, afterBytes: 300 });
    expect(bytes.equals((await outcome(retrying().get('long').then(buffer))) as Buffer)).toBe(true);
  });

  it('again and again comes to its end, since each time it has come further', async () => {
    faulty.failReading('get', { afterBytes: 100 });
    expect(bytes.equals((await outcome(retrying({ attempts: 2 }).get('long').then(buffer))) as Buffer)).toBe(true);
    expect(countOf('get')).toBe(10);
  });

  it.each(['overwritten', 'deleted'] as const)(
    'fails with what broke it when the object was %s meanwhile',
    async (what) => {
      faulty.failReading('get', { on: 1, afterBytes: 300, error: new ConnectionError('The line is dead.') });
      const stream = await retrying().get('long');
      if (what === 'overwritten') await memory.put('long', Buffer.alloc(1000));
      else await memory.delete('long');
      expect(await failureOf(buffer(stream))).toMatchObject({
        code: 'CONNECTION_FAILED',
        message: 'The line is dead.',
        storage: 'media',
        key: 'long',
      });
    },
  );

  it('is given up after as many tries as allowed without a byte', async () => {
    faulty.failReading('get', { on: 1, afterBytes: 300 });
    for (const on of [2, 3, 4]) faulty.fail('get', { on });
    expect(await failureOf(retrying().get('long').then(buffer))).toMatchObject({
      message: expect.stringContaining('(Tried 4 times.)') as unknown,
    });
    expect(countOf('get')).toBe(4);
  });

  it('with an error that is not retryable fails at once', async () => {
    faulty.failReading('get', { afterBytes: 300, error: new PermissionError('No.') });
    expect(await failureOf(retrying().get('long').then(buffer))).toMatchObject({ message: 'No.' });
    expect(countOf('get')).toBe(1);
  });

  it('and is destroyed while it waits opens nothing more', async () => {
    faulty.failReading('get', { afterBytes: 300 });
    // a wait that is drawn may be none at all
    const stream = await retrying({ random: () => 1 }).get('long');
    stream.resume();
    await pass(0);
    expect(jest.getTimerCount()).toBe(1);
    stream.destroy();
    await pass(60_000);
    expect(countOf('get')).toBe(1);
  });

  it('and is aborted while it waits fails with an AbortError', async () => {
    faulty.failReading('get', { afterBytes: 300 });
    const controller = new AbortController();
    const stream = await retrying({ random: () => 1 }).get('long', { signal: controller.signal });
    const heard = expect(buffer(stream)).rejects.toMatchObject({ code: 'ABORTED' });
    await pass(0);
    controller.abort();
    await heard;
    expect(countOf('get')).toBe(1);
  });

  it('destroys what was opened again when its reader is gone by then', async () => {
    faulty.failReading('get', { on: 1, afterBytes: 300 });
    const gate = faulty.hold('get', { on: 2, when: 'after' });
    const reopened: Readable[] = [];
    const get = memory.get.bind(memory);
    memory.get = async (...given) => {
      const stream = await get(...given);
      reopened.push(stream);
      return stream;
    };
    const stream = await retrying({ minDelay: 0, maxDelay: 0 }).get('long');
    stream.resume();
    await pass(1);
    await gate.reached;
    stream.destroy();
    gate.release();
    await pass(0);
    expect(reopened.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });
});

describe('the settings of a RetryingStorage', () => {
  it.each([
    [{ attempts: 0 }, 'attempts'],
    [{ attempts: 1.5 }, 'attempts'],
    [{ minDelay: -1 }, 'minDelay'],
    [{ maxDelay: '5s' }, 'maxDelay'],
    [{ minDelay: 200, maxDelay: 100 }, 'maxDelay'],
    [{ deadline: Infinity }, 'deadline'],
    [{ retry: true }, 'retry'],
    [{ random: 4 }, 'random'],
    [{ retries: 4 }, 'retries'],
  ])('that cannot be meant are refused by name: %j', (options, field) => {
    expect(() => retrying(options as RetryingStorageOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringContaining(`RetryingStorage: ${field}`) as unknown,
      }),
    );
  });
});
