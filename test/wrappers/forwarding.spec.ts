import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  BaseStorage,
  ConnectionError,
  ForwardingStorage,
  freshKey,
  MemoryStorage,
  ReadOnlyStorage,
  RetryingStorage,
  ScopedStorage,
  StorageError,
  TimeoutStorage,
  type Storage,
} from 'nestjs-storages';
import { collect, recording } from './recording.js';

type Method = Exclude<keyof Storage, 'capabilities' | typeof Symbol.asyncDispose>;

/** How each method is called; the type makes it complete. */
const CALLS = {
  put: (storage) => storage.put('b', 'b'),
  stage: async (storage) => (await storage.stage('b', 'b')).commit(),
  get: async (storage) => (await storage.get('a')).toArray(),
  getBytes: (storage) => storage.getBytes('a'),
  info: (storage) => storage.info('a'),
  exists: (storage) => storage.exists('a'),
  delete: (storage) => storage.delete('a'),
  deleteMany: (storage) => storage.deleteMany(['a']),
  deletePrefix: (storage) => storage.deletePrefix('a'),
  list: (storage) => collect(storage.list('a')),
  listEntries: (storage) => collect(storage.listEntries('a')),
  copy: (storage) => storage.copy('a', 'b'),
  move: (storage) => storage.move('a', 'b'),
  url: (storage) => storage.url('a'),
  uploadUrl: (storage) => storage.uploadUrl('a', { expiresIn: 60 }),
  close: (storage) => storage.close(),
} as const satisfies Record<Method, (storage: Storage) => Promise<unknown>>;

/** What becomes of a method: the methods of the inner storage that it calls, or that it is refused. */
type Decisions = Record<Method, readonly string[] | 'refused'>;

const FORWARDED: Decisions = {
  put: ['put'],
  stage: ['stage'],
  get: ['get'],
  getBytes: ['getBytes'],
  info: ['info'],
  exists: ['exists'],
  delete: ['delete'],
  deleteMany: ['deleteMany'],
  deletePrefix: ['list', 'deleteMany'],
  list: ['list'],
  listEntries: ['listEntries'],
  copy: ['copy'],
  move: ['move'],
  url: ['url'],
  uploadUrl: ['uploadUrl'],
  // never opened, and so not closed either
  close: [],
};

const WRAPPERS: readonly { name: string; wrap: (inner: Storage) => ForwardingStorage; decisions: Decisions }[] = [
  { name: 'ScopedStorage', wrap: (inner) => new ScopedStorage(inner, 'view'), decisions: FORWARDED },
  {
    name: 'ReadOnlyStorage',
    wrap: (inner) => new ReadOnlyStorage(inner, { owns: false }),
    decisions: {
      ...FORWARDED,
      put: 'refused',
      stage: 'refused',
      delete: 'refused',
      deleteMany: 'refused',
      deletePrefix: 'refused',
      copy: 'refused',
      move: 'refused',
      uploadUrl: 'refused',
    },
  },
  { name: 'RetryingStorage', wrap: (inner) => new RetryingStorage(inner, { owns: false }), decisions: FORWARDED },
  {
    name: 'TimeoutStorage',
    wrap: (inner) => new TimeoutStorage(inner, { owns: false }),
    // by a stream, which shows progress
    decisions: { ...FORWARDED, getBytes: ['get'] },
  },
];

/** Declares upload URLs and gives them. */
class Signing extends MemoryStorage {
  override readonly capabilities = { ...new MemoryStorage().capabilities, uploadUrls: true };

  protected override _uploadUrl(): ReturnType<MemoryStorage['uploadUrl']> {
    return Promise.resolve({ url: 'https://files.example/a', method: 'PUT', headers: {}, expiresAt: new Date() });
  }
}

let memory: Signing;
let calls: string[];
let inner: Storage;
beforeEach(async () => {
  memory = new Signing({ name: 'inner' });
  for (const key of ['a', 'view/a']) await memory.put(key, 'bytes');
  ({ calls, storage: inner } = recording(memory));
});

function publicMethodsOf(prototype: object): string[] {
  const own = ['constructor', 'name', 'open', 'toJSON', 'toString'];
  return Object.getOwnPropertyNames(prototype).filter((name) => !name.startsWith('_') && !own.includes(name));
}

/** The hooks as the contract's file declares them: abstract and optional ones leave nothing that could be seen at run time. */
function hooksOfTheContract(): string[] {
  const text = readFileSync(new URL('../../lib/contract/base/storage-hooks.ts', import.meta.url), 'utf8');
  const names = [...text.matchAll(/^ {2}protected (?:abstract |async )?(_\w+)\??(?:<|\()/gm)].map(([, name]) => name);
  return [...new Set(names)].map(String);
}

describe('a wrapper', () => {
  it('decides on every method of a storage', () => {
    expect(publicMethodsOf(BaseStorage.prototype).toSorted()).toEqual(Object.keys(CALLS).toSorted());
    for (const { decisions } of WRAPPERS) expect(Object.keys(decisions)).toEqual(Object.keys(CALLS));
  });

  it('has every hook of the contract written out, but for those that are of no call of another storage', () => {
    const hooks = hooksOfTheContract();
    expect(hooks.length).toBeGreaterThan(15);
    const forwarded = Object.getOwnPropertyNames(ForwardingStorage.prototype);
    // errors of the inner storage are storage errors already; nothing is refused without a reason of the wrapper's own
    expect(hooks.filter((hook) => !forwarded.includes(hook))).toEqual(['_refuse', '_mapError']);
  });

  for (const { name, wrap, decisions } of WRAPPERS) {
    it.each(Object.keys(CALLS) as Method[])(
      `${name}: %s is forwarded, or refused before the inner storage hears of it`,
      async (method) => {
        const storage = wrap(inner);
        const decision = decisions[method];
        if (decision === 'refused') {
          await expect(CALLS[method](storage)).rejects.toMatchObject({
            code: 'UNSUPPORTED_OPERATION',
            operation: method,
            storage: name,
            message: expect.stringContaining('read-only') as unknown,
          });
          expect(calls).toEqual([]);
          return;
        }
        await CALLS[method](storage);
        expect(calls).toEqual(decision);
      },
    );

    it(`${name}: an error keeps its kind, its key and whether it is retryable, under the name of the wrapper`, async () => {
      const storage = wrap(inner);
      await expect(storage.info('gone')).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        key: 'gone',
        storage: name,
        operation: 'info',
      });
      const failure = new ConnectionError('The line is dead.', { key: 'a', retryable: true });
      memory.exists = () => Promise.reject(failure);
      const quick = name === 'RetryingStorage' ? new RetryingStorage(inner, { attempts: 1 }) : storage;
      const error = await quick.exists('a').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).not.toBe(failure);
      expect(error).toMatchObject({ retryable: true, storage: name, operation: 'exists' });
    });

    it(`${name}: what fails with no storage error is one, with that as its cause`, async () => {
      const failure = new TypeError('secret');
      memory.exists = () => Promise.reject(failure);
      const error = await wrap(inner)
        .exists('a')
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({ cause: failure, message: expect.not.stringContaining('secret') as unknown });
    });

    it(`${name}: its capabilities follow those of the inner storage`, () => {
      let { capabilities } = memory;
      Object.defineProperty(memory, 'capabilities', { get: () => capabilities });
      const storage = wrap(inner);
      capabilities = { ...capabilities, maxSize: 10 };
      expect(storage.capabilities.maxSize).toBe(10);
      expect(storage.capabilities).toBe(storage.capabilities);
      capabilities = { ...capabilities, maxSize: 11 };
      expect(storage.capabilities.maxSize).toBe(11);
      expect(Object.getOwnPropertyDescriptor(storage, 'capabilities')?.configurable).toBe(true);
    });

    it(`${name}: a stream that is left is closed only when that of the inner storage is`, async () => {
      let release: (() => void) | undefined;
      const { file } = await memory.get('a');
      const opened = new Readable({
        read: () => undefined,
        destroy: (error, callback) => {
          release = () => {
            callback(error);
          };
        },
      });
      memory.get = () => Promise.resolve(Object.assign(opened, { file }));
      const stream = await wrap(inner).get('a');
      stream.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      expect([stream.destroyed, stream.closed]).toEqual([true, false]);
      release?.();
      await once(stream, 'close');
    });

    it(`${name}: needs a storage, and options that are its own`, () => {
      expect(() => wrap({} as Storage)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(name) as unknown }),
      );
    });
  }

  it.each([
    ['ScopedStorage', (storage: Storage) => new ScopedStorage(storage, 'view')],
    ['RetryingStorage', (storage: Storage) => new RetryingStorage(storage)],
    ['TimeoutStorage', (storage: Storage) => new TimeoutStorage(storage)],
  ])('%s hands on every option of a put, also that a key is fresh', async (_name, wrap) => {
    let given: unknown;
    memory.put = (_key, _data, options) => {
      given = options;
      return memory.info('a');
    };
    const { signal } = new AbortController();
    const options = {
      contentType: 'text/x-a',
      metadata: { a: '1' },
      cacheControl: 'no-store',
      [freshKey]: true as const,
    };
    await wrap(memory).put('a', 'bytes', { ...options, size: 5, signal });
    expect(given).toMatchObject({ ...options, size: 5 });
    expect((given as Record<symbol, unknown>)[freshKey]).toBe(true);
  });

  it('signs no uploads over a storage that takes none', () => {
    const takesUploads = (storage: Storage): unknown =>
      (storage as unknown as { _takesUploads: unknown })._takesUploads;
    const readOnly = new ReadOnlyStorage(memory);
    expect([readOnly, new ScopedStorage(readOnly, 'a'), new TimeoutStorage(readOnly)].map(takesUploads)).toEqual([
      false,
      false,
      false,
    ]);
    expect(takesUploads(new RetryingStorage(memory))).toBe(true);
  });
});
