import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectionError,
  isStorage,
  MemoryStorage,
  QuotaExceededError,
  type Storage,
  type StoredFile,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';

let inner: MemoryStorage;
let faulty: FaultyStorage;
beforeEach(() => {
  inner = new MemoryStorage();
  faulty = new FaultyStorage(inner);
});

async function keys(files: AsyncIterable<StoredFile>): Promise<string[]> {
  const result: string[] = [];
  for await (const file of files) result.push(file.key);
  return result;
}

/** Whether a promise is still pending once everything that could settle it has had its turn. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return !settled;
}

describe('without a fault', () => {
  /** How each method is called; the type makes it complete. */
  const CALLS = {
    put: ['a', 'bytes', { contentType: 'text/plain' }],
    stage: ['a', 'bytes', { contentType: 'text/plain' }],
    get: ['a', { range: { offset: 1 } }],
    getBytes: ['a', { range: { offset: 1 } }],
    info: ['a', {}],
    exists: ['a', {}],
    delete: ['a', { force: true }],
    deleteMany: [['a', 'b'], {}],
    deletePrefix: ['a', { all: true }],
    list: ['a', { limit: 3 }],
    listEntries: ['a', { delimiter: '-' }],
    copy: ['a', 'b', { ifNoneMatch: '*' }],
    move: ['a', 'b', { ifNoneMatch: '*' }],
    url: ['a', {}],
    uploadUrl: ['a', { expiresIn: 60 }],
    close: [],
  } as const satisfies Record<Exclude<keyof Storage, 'capabilities' | typeof Symbol.asyncDispose>, readonly unknown[]>;

  it.each(Object.entries(CALLS))(
    '%s is forwarded with its arguments, and its result comes back',
    async (method, args) => {
      const result = method.startsWith('list') ? { [Symbol.asyncIterator]: () => [1, 2].values() } : { result: method };
      const calls: unknown[][] = [];
      const recorder = {
        [method]: (...given: unknown[]) => {
          calls.push(given);
          return method.startsWith('list') ? result : Promise.resolve(result);
        },
      } as unknown as Storage;
      const wrapper = new FaultyStorage(recorder) as unknown as Record<
        string,
        (...given: readonly unknown[]) => unknown
      >;

      const given = wrapper[method]?.(...args);

      if (method.startsWith('list')) {
        const items: unknown[] = [];
        for await (const item of given as AsyncIterable<unknown>) items.push(item);
        expect(items).toEqual([1, 2]);
      } else if (method === 'stage') {
        await given; // the two steps of a staged file are forwarded by an object of their own: below
      } else {
        expect(await given).toBe(result);
      }
      expect(calls).toEqual([[...args]]);
      for (const [i, arg] of args.entries()) expect(calls[0]?.[i]).toBe(arg);
    },
  );

  it('has every method of a storage, and its capabilities', () => {
    expect(isStorage(faulty)).toBe(true);
    expect(faulty.capabilities).toBe(inner.capabilities);
  });

  it('forwards commit and abort of a staged file, and what is known of it', async () => {
    const staged = await faulty.stage('a.txt', 'text', { metadata: { owner: 'ada' }, cacheControl: 'no-store' });
    expect(staged).toMatchObject({
      key: 'a.txt',
      size: 4,
      contentType: 'text/plain',
      metadata: { owner: 'ada' },
      cacheControl: 'no-store',
    });
    expect(await staged.commit()).toEqual(await inner.info('a.txt'));
    const dropped = await faulty.stage('b', 'text');
    await dropped[Symbol.asyncDispose]();
    await expect(dropped.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is disposed of as the storage it wraps', async () => {
    await faulty[Symbol.asyncDispose]();
    await expect(inner.info('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
  });

  it('opens and names the storage it wraps', async () => {
    const open = jest.spyOn(inner, 'open');
    await faulty.open();
    expect(open).toHaveBeenCalledTimes(1);
  });
});

describe('fail', () => {
  it('rejects the nth call only, with the given error, and the storage never hears of it', async () => {
    const error = new QuotaExceededError('The disk is full.');
    const fault = faulty.fail('put', { on: 2, error });
    await faulty.put('a', '1');
    await expect(faulty.put('b', '2')).rejects.toBe(error);
    await faulty.put('c', '3');
    expect(await keys(inner.list())).toEqual(['a', 'c']);
    expect(fault.hits).toBe(1);
  });

  it('counts from the moment it was set, and only calls with its key', async () => {
    await faulty.put('a', '1');
    faulty.fail('put', { on: 2, key: 'a' });
    await faulty.put('b', '1');
    await faulty.put('a', '2');
    await faulty.put('b', '3');
    await expect(faulty.put('a', '4')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('rejects every call where none is named', async () => {
    const fault = faulty.fail('exists');
    await expect(faulty.exists('a')).rejects.toBeInstanceOf(ConnectionError);
    await expect(faulty.exists('b')).rejects.toBeInstanceOf(ConnectionError);
    expect(fault.hits).toBe(2);
  });

  it('destroys the source of a put that never began', async () => {
    faulty.fail('put');
    const source = Readable.from([Buffer.from('1')]);
    await expect(faulty.put('a', source)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(source.destroyed).toBe(true);
  });

  it('after the call: the work is done, and the answer is lost', async () => {
    faulty.fail('put', { when: 'after' });
    await expect(faulty.put('a', '1')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(await inner.exists('a')).toBe(true);
  });

  it('after the call: what the caller did not get is released', async () => {
    await inner.put('a', '1');
    faulty.fail('get', { when: 'after' });
    const get = jest.spyOn(inner, 'get');
    await expect(faulty.get('a')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(await get.mock.results[0]?.value).toMatchObject({ destroyed: true });
  });

  it('at the commit: nothing is visible, and no trace is left', async () => {
    inner = new MemoryStorage({ maxBytes: 4 });
    faulty = new FaultyStorage(inner);
    faulty.fail('commit');
    const staged = await faulty.stage('a', '1234');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(await inner.exists('a')).toBe(false);
    await inner.put('b', '1234'); // the room of the staged bytes is free again
  });

  it('at the abort, and in close and open', async () => {
    faulty.fail('abort');
    faulty.fail('close', { on: 1 });
    faulty.fail('open', { on: 1 });
    await expect((await faulty.stage('a', '1')).abort()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await expect(faulty.open()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await expect(faulty.close()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await faulty.close();
  });

  it('at the first step of a listing', async () => {
    faulty.fail('list');
    const listing = faulty.list();
    await expect(keys(listing)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('refuses what cannot be counted', () => {
    expect(() => faulty.fail('put', { on: 0 })).toThrow(RangeError);
    expect(() => faulty.failReading('get', { afterBytes: 1.5 })).toThrow(RangeError);
  });
});

describe('failReading', () => {
  const kinds = {
    'a Buffer': () => Buffer.from('0123456789abc'),
    'a string': () => '0123456789abc',
    'a Node stream': () => Readable.from([Buffer.from('0123456'), Buffer.from('789abc')]),
    'a web stream': () => new Blob(['0123456789abc']).stream(),
    'a Blob': () => new Blob(['0123456789abc']),
  };

  it.each(Object.entries(kinds))('breaks off %s while it is stored, and nothing is stored', async (_, make) => {
    await inner.put('a', 'old');
    faulty.failReading('put', { afterBytes: 10 });
    await expect(faulty.put('a', make())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(String(await inner.getBytes('a'))).toBe('old');
  });

  it('gives a storage error of its own to the caller, and any other as the source error it is', async () => {
    faulty.failReading('put', { on: 1, afterBytes: 1, error: new QuotaExceededError('full') });
    faulty.failReading('put', { on: 2, afterBytes: 1, error: new Error('socket hang up') });
    await expect(faulty.put('a', 'text')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(faulty.put('a', 'text')).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
  });

  it('destroys the source', async () => {
    faulty.failReading('put', { afterBytes: 10 });
    const source = new Readable({
      read() {
        this.push(Buffer.alloc(4));
      },
    });
    await expect(faulty.put('a', source)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(source.destroyed).toBe(true);
  });

  it('does nothing where there are fewer bytes, and meets the last byte', async () => {
    const fault = faulty.failReading('put', { afterBytes: 4 });
    await faulty.put('a', '123');
    expect(fault.hits).toBe(0);
    await expect(faulty.put('a', '1234')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('breaks off what is read after exactly so many bytes, whatever the chunks', async () => {
    await inner.put('a', '0123456789abc');
    faulty.failReading('get', { afterBytes: 10 });
    const stream = await faulty.get('a');
    expect(stream.file.size).toBe(13);
    let read = '';
    await expect(
      (async () => {
        for await (const chunk of stream) read += String(chunk);
      })(),
    ).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(read).toBe('0123456789');
  });

  it('harms nobody who leaves the stream unread', async () => {
    await inner.put('a', '0123456789abc');
    faulty.failReading('get', { afterBytes: 0 });
    const stream = await faulty.get('a');
    stream.read(0);
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.errored).toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('fails getBytes where the object is as long', async () => {
    await inner.put('a', '123');
    faulty.failReading('getBytes', { afterBytes: 4, on: 1 });
    faulty.failReading('getBytes', { afterBytes: 3, on: 2 });
    expect(String(await faulty.getBytes('a'))).toBe('123');
    await expect(faulty.getBytes('a')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('breaks off a listing after so many items', async () => {
    for (const key of ['a', 'b', 'c']) await inner.put(key, '');
    faulty.failReading('list', { afterItems: 2 });
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const file of faulty.list()) seen.push(file.key);
      })(),
    ).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('endEarly', () => {
  it('ends a source too soon, without an error: what is stored is short', async () => {
    faulty.endEarly('put', { afterBytes: 2 });
    expect(await faulty.put('a', '1234')).toMatchObject({ size: 2 });
    await expect(faulty.put('a', '1234', { size: 4 })).rejects.toMatchObject({ code: 'INTEGRITY_FAILED' });
  });

  it('ends what is read too soon, and releases the rest', async () => {
    await inner.put('a', '1234');
    faulty.endEarly('get', { afterBytes: 2 });
    faulty.endEarly('getBytes', { afterBytes: 1 });
    expect(String(await buffer(await faulty.get('a')))).toBe('12');
    expect(String(await faulty.getBytes('a'))).toBe('1');
  });

  it('ends a listing too soon', async () => {
    for (const key of ['a', 'b', 'c']) await inner.put(key, '');
    faulty.endEarly('list', { afterItems: 1 });
    expect(await keys(faulty.list())).toEqual(['a']);
  });
});

describe('hold', () => {
  it('waits at the call until it is released', async () => {
    const gate = faulty.hold('put');
    const put = faulty.put('a', '1');
    await gate.reached;
    expect(await inner.exists('a')).toBe(false);
    gate.release();
    await put;
    expect(await inner.exists('a')).toBe(true);
  });

  it('waits at the commit, between both steps', async () => {
    const gate = faulty.hold('commit');
    const commit = (await faulty.stage('a', '1')).commit();
    await gate.reached;
    expect(await inner.exists('a')).toBe(false);
    gate.release();
    expect(await commit).toMatchObject({ key: 'a' });
  });

  it('waits with the answer', async () => {
    const gate = faulty.hold('put', { when: 'after' });
    const put = faulty.put('a', '1');
    await gate.reached;
    expect(await inner.exists('a')).toBe(true);
    expect(await isPending(put)).toBe(true);
    gate.release();
    await put;
  });

  it('waits in the middle of a source, and of what is read', async () => {
    const writing = faulty.hold('put', { afterBytes: 3 });
    const put = faulty.put('a', Readable.from([Buffer.from('12345')]));
    await writing.reached;
    expect(await inner.exists('a')).toBe(false);
    writing.release();
    await put;

    const reading = faulty.hold('get', { afterBytes: 3 });
    const read = buffer(await faulty.get('a'));
    await reading.reached;
    expect(await isPending(read)).toBe(true);
    reading.release();
    expect(String(await read)).toBe('12345');
  });

  it('ends when the signal fires', async () => {
    const gate = faulty.hold('put');
    const controller = new AbortController();
    const source = Readable.from([Buffer.from('1')]);
    const put = faulty.put('a', source, { signal: controller.signal });
    await gate.reached;
    controller.abort();
    await expect(put).rejects.toMatchObject({ code: 'ABORTED' });
    expect(source.destroyed).toBe(true);
  });

  it('ends in the middle of a source when the signal fires, and the source goes at once', async () => {
    const gate = faulty.hold('put', { afterBytes: 1 });
    const controller = new AbortController();
    const source = Readable.from([Buffer.from('12')]);
    const put = faulty.put('a', source, { signal: controller.signal });
    await gate.reached;
    controller.abort();
    await expect(put).rejects.toMatchObject({ code: 'ABORTED' });
    expect(source.destroyed).toBe(true);
  });

  it('holds a listing between two items', async () => {
    for (const key of ['a', 'b']) await inner.put(key, '');
    const gate = faulty.hold('list', { afterItems: 1 });
    const listing = keys(faulty.list());
    await gate.reached;
    gate.release();
    expect(await listing).toEqual(['a', 'b']);
  });
});

describe('hang', () => {
  it('never settles, whatever the signal says', async () => {
    const fault = faulty.hang('get');
    const get = faulty.get('a', { signal: AbortSignal.abort() });
    expect(await isPending(get)).toBe(true);
    expect(fault.hits).toBe(1);
  });

  it('never gives the next byte, and lets itself be destroyed', async () => {
    await inner.put('a', '1234');
    faulty.hang('get', { afterBytes: 2 });
    const stream = await faulty.get('a');
    const first = await new Promise<unknown>((resolve) => stream.once('data', resolve));
    expect(String(first)).toBe('12');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy();
    await closed;
  });
});

describe('settleAfterAbort', () => {
  it('does its work although the signal fires, and resolves only then', async () => {
    faulty.settleAfterAbort('put');
    const controller = new AbortController();
    const put = faulty.put('a', '1', { signal: controller.signal });
    expect(await isPending(put)).toBe(true);
    controller.abort();
    expect(await put).toMatchObject({ key: 'a' });
    expect(await inner.exists('a')).toBe(true);
  });

  it('takes no call without a signal: it would never settle', async () => {
    faulty.settleAfterAbort('put');
    await expect(faulty.put('a', '1')).rejects.toThrow('needs a call that is given a signal');
  });
});

it('clearFaults takes all faults away and releases what is held', async () => {
  const gate = faulty.hold('put');
  faulty.fail('get');
  const put = faulty.put('a', '1');
  await gate.reached;
  faulty.clearFaults();
  await put;
  expect(String(await buffer(await faulty.get('a')))).toBe('1');
});

it('several faults of one call happen in the order in which they were set', async () => {
  const gate = faulty.hold('put');
  faulty.fail('put', { error: new Error('then this') });
  const put = faulty.put('a', '1');
  await gate.reached;
  gate.release();
  await expect(put).rejects.toThrow('then this');
});
