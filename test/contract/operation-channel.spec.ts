import { tracingChannel } from 'node:diagnostics_channel';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, ScopedStorage, STORAGE_OPERATIONS, type TracedOperation } from 'nestjs-storages';

const channel = tracingChannel(STORAGE_OPERATIONS);
let told: string[] = [];
let last: TracedOperation | undefined;

const line = ({ storage, operation, key, bytes, items, error }: TracedOperation): string =>
  [storage, operation, key, bytes, items, error?.code].filter((part) => part !== undefined).join(' ');

const subscribers = {
  start: (message: unknown) => told.push(`start ${line(message as TracedOperation)}`),
  end: () => undefined,
  asyncStart: () => undefined,
  asyncEnd: (message: unknown) => {
    last = message as TracedOperation;
    told.push(`end ${line(last)}`);
  },
  error: (message: unknown) => told.push(`error ${line(message as TracedOperation)}`),
};

beforeEach(() => {
  told = [];
  channel.subscribe(subscribers);
});
afterEach(() => {
  channel.unsubscribe(subscribers);
});

describe('The channel of operations', () => {
  it('tells of every call, its bytes and its outcome', async () => {
    await using storage = new MemoryStorage({ name: 'files' });
    await storage.put('a', 'three');
    expect(await storage.getBytes('a')).toHaveLength(5);
    const part = await storage.get('a', { range: { offset: 1, length: 2 } });
    part.destroy();
    (await storage.get('a')).destroy();
    await storage.info('a');
    await storage.exists('b');
    await storage.copy('a', 'b');
    await storage.move('b', 'c');
    await storage.url('a');
    await storage.deleteMany(['c']);
    await storage.deletePrefix('x');
    await storage.delete('a');
    const ends = told.filter((each) => each.startsWith('end '));
    expect(ends).toEqual([
      'end files put a 5',
      'end files getBytes a 5',
      'end files get a 2',
      'end files get a 5',
      'end files info a 5',
      'end files exists b',
      'end files copy a 5',
      'end files move b 5',
      'end files url a',
      'end files deleteMany',
      'end files deletePrefix',
      'end files delete a',
    ]);
    expect(told).toHaveLength(ends.length * 2);
  });

  it('tells of a failure with the error that the caller gets', async () => {
    await using storage = new MemoryStorage({ name: 'files' });
    const failure = await storage.info('missing').catch((error: unknown) => error);
    expect(told).toEqual([
      'start files info missing',
      'error files info missing FILE_NOT_FOUND',
      'end files info missing FILE_NOT_FOUND',
    ]);
    expect(last?.error).toBe(failure);
    const broken = new Readable({ read: () => broken.destroy(new Error('gone')) });
    await expect(storage.put('a', broken)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    expect(told.at(-1)).toBe('end files put a SOURCE_FAILED');
  });

  it('tells of both steps of a staged file, and of no abort of one that is committed', async () => {
    await using storage = new MemoryStorage({ name: 'files' });
    {
      await using staged = await storage.stage('a', 'three');
      await staged.commit();
    }
    await (await storage.stage('b', 'two')).abort();
    expect(told.filter((each) => each.startsWith('end '))).toEqual([
      'end files stage a 5',
      'end files commit a 5',
      'end files stage b 3',
      'end files abort b',
    ]);
  });

  it('tells of a listing as one operation, however it ends', async () => {
    await using storage = new MemoryStorage({ name: 'files' });
    for (const key of ['a', 'b', 'c']) await storage.put(key, '');
    told = [];
    const listing = storage.list();
    expect(told).toEqual([]);
    for await (const { key } of listing) expect(key).toMatch(/[abc]/);
    for await (const { key } of storage.list()) if (key === 'b') break;
    for await (const entry of storage.listEntries('', { limit: 1 })) expect(entry.kind).toBe('file');
    await expect(storage.list('', { limit: -1 })[Symbol.asyncIterator]().next()).rejects.toThrow('limit');
    expect(told).toEqual([
      'start files list',
      'end files list 3',
      'start files list',
      'end files list 2',
      'start files listEntries',
      'end files listEntries 1',
      'start files list',
      'error files list 0 INVALID_ARGUMENT',
      'end files list 0 INVALID_ARGUMENT',
    ]);
  });

  it('tells of a view and of what is behind it, each by its name and with its own key', async () => {
    await using inner = new MemoryStorage({ name: 'files' });
    await new ScopedStorage(inner, 'below/', { name: 'view' }).put('a', 'x');
    expect(told).toEqual([
      'start view put a',
      'start files put below/a',
      'end files put below/a 1',
      'end view put a 1',
    ]);
  });

  it('tells nothing when nobody listens, and costs the call no object', async () => {
    channel.unsubscribe(subscribers);
    await using storage = new MemoryStorage({ name: 'files' });
    await storage.put('a', 'x');
    expect(told).toEqual([]);
    const listing = storage.list();
    expect(listing.constructor.name).toBe('TrackedIterable');
    channel.subscribe(subscribers);
  });
});
