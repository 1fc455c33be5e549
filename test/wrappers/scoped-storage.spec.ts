import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  FileNotFoundError,
  MemoryStorage,
  PermissionError,
  ReadOnlyStorage,
  RetryingStorage,
  ScopedStorage,
  StorageError,
  TimeoutStorage,
  type Storage,
  type StoredFile,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';

let inner: MemoryStorage;
let view: ScopedStorage;

beforeEach(() => {
  inner = new MemoryStorage({ name: 'uploads' });
  view = new ScopedStorage(inner, 'users/ada/', { name: 'ada' });
});

async function keysOf(files: AsyncIterable<StoredFile>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of files) keys.push(key);
  return keys;
}

async function failureOf(work: Promise<unknown>): Promise<StorageError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('a view under a prefix', () => {
  it('has the same objects under keys without it', async () => {
    const file = await view.put('a/b.txt', Readable.from([Buffer.from('one'), Buffer.from('two')]), {
      metadata: { Owner: 'Ada' },
      cacheControl: 'no-store',
    });
    expect(file).toEqual(await view.info('a/b.txt'));
    expect(await inner.info('users/ada/a/b.txt')).toEqual({ ...file, key: 'users/ada/a/b.txt' });
    const stream = await view.get('a/b.txt', { range: { offset: 2, length: 2 } });
    expect([stream.file, stream.range]).toEqual([file, { offset: 2, length: 2 }]);
    expect(Buffer.concat((await stream.toArray()) as Buffer[]).toString()).toBe('et');
  });

  it('reads on where the stream of the other storage is paused', async () => {
    await inner.put('users/ada/a', 'abc');
    const get = inner.get.bind(inner);
    inner.get = async (key, options) => (await get(key, options)).pause();
    expect(Buffer.concat((await (await view.get('a')).toArray()) as Buffer[]).toString()).toBe('abc');
  });

  it('never reaches what lies outside, however a key or a prefix is written', async () => {
    await inner.put('users/eve/secret.txt', 'secret');
    await inner.put('users/ada-b/secret.txt', 'secret');
    for (const key of [
      '../eve/secret.txt',
      '..\\eve\\secret.txt',
      '/users/eve/secret.txt',
      'a/../../../eve/secret.txt',
    ]) {
      await expect(view.getBytes(key)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    }
    await view.put('../eve/secret.txt', 'mine');
    expect((await inner.getBytes('users/eve/secret.txt')).toString()).toBe('secret');
    expect(await keysOf(view.list())).toEqual(['eve/secret.txt']);
    expect(await keysOf(view.list('../'))).toEqual([]);
    await view.deletePrefix('', { all: true });
    expect(await keysOf(inner.list())).toEqual(['users/ada-b/secret.txt', 'users/eve/secret.txt']);
  });

  it('lists with its own keys, prefixes, startAfter and limits', async () => {
    for (const key of ['a.txt', 'b/1.txt', 'b/2.txt', 'c.txt']) await view.put(key, key);
    await inner.put('users/ada.txt', 'x');
    expect(await keysOf(view.list('b/'))).toEqual(['b/1.txt', 'b/2.txt']);
    expect(await keysOf(view.list('', { startAfter: 'b/1.txt', limit: 2 }))).toEqual(['b/2.txt', 'c.txt']);
    const entries: string[] = [];
    for await (const entry of view.listEntries('', { startAfter: 'a.txt' })) {
      entries.push(entry.kind === 'file' ? entry.file.key : entry.prefix);
    }
    expect(entries).toEqual(['b/', 'c.txt']);
  });

  it('copies, moves and deletes within itself', async () => {
    await view.put('a.txt', 'a');
    expect((await view.copy('a.txt', 'b.txt')).key).toBe('b.txt');
    expect((await view.move('a.txt', 'c.txt')).key).toBe('c.txt');
    expect(await keysOf(inner.list())).toEqual(['users/ada/b.txt', 'users/ada/c.txt']);
    expect(await view.deleteMany(['b.txt', 'gone.txt'])).toEqual({ deleted: ['b.txt', 'gone.txt'], failed: [] });
    expect(await keysOf(inner.list())).toEqual(['users/ada/c.txt']);
  });

  it('stages where the inner storage does', async () => {
    const staged = await view.stage('a.txt', 'a', { ifNoneMatch: '*' });
    expect(await view.exists('a.txt')).toBe(false);
    await view.put('a.txt', 'first');
    expect(await failureOf(staged.commit())).toMatchObject({
      code: 'FILE_EXISTS',
      key: 'a.txt',
      storage: 'ada',
      operation: 'commit',
      message: expect.not.stringContaining('users') as unknown,
    });
  });

  it('speaks its own keys and its own name in every error, its kind and fields kept', async () => {
    await view.put('a.txt', 'abc');
    const missing = await failureOf(view.copy('gone.txt', 'new.txt'));
    expect(missing).toBeInstanceOf(FileNotFoundError);
    expect(missing).toMatchObject({ name: 'FileNotFoundError', key: 'gone.txt', storage: 'ada', operation: 'copy' });
    expect(missing.message).toBe('There is no file "gone.txt" in this storage.');
    expect(missing.stack).toContain('There is no file "gone.txt"');
    expect(await failureOf(view.get('a.txt', { range: { offset: 3 } }))).toMatchObject({
      code: 'RANGE_NOT_SATISFIABLE',
      size: 3,
      key: 'a.txt',
      storage: 'ada',
      operation: 'get',
    });
    expect(await failureOf(view.put('a.txt', 'b', { ifMatch: 'other' }))).toMatchObject({
      key: 'a.txt',
      storage: 'ada',
    });
  });

  it('has errors of a list of deletions and of a stream in its own words too', async () => {
    class Refusing extends MemoryStorage {
      // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- it fails before it yields
      protected override async *_list(): AsyncGenerator<StoredFile> {
        throw new PermissionError('Cannot read "users/ada/b.txt".');
      }

      protected override _delete(key: string): Promise<void> {
        return Promise.reject(
          new PermissionError(`users/ada/${key.slice(10)} or ${JSON.stringify(key)}: no.`, { key }),
        );
      }
    }
    const refusing = new ScopedStorage(new Refusing(), 'users/ada/');
    await expect(keysOf(refusing.list())).rejects.toThrow('Cannot read "b.txt".');
    const { failed } = await refusing.deleteMany(['a.txt']);
    expect(failed).toEqual([
      { key: 'a.txt', error: expect.objectContaining({ key: 'a.txt', storage: 'ScopedStorage' }) },
    ]);
    expect(failed[0]?.error.message).toBe('a.txt or "a.txt": no.');

    await view.put('long.txt', Buffer.alloc(1 << 20));
    const stream = await view.get('long.txt');
    await inner.close();
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'STORAGE_CLOSED', storage: 'ada', key: 'long.txt' });
  });

  it('does not lose what a source failed with', async () => {
    const broken = new Error('the client went away');
    const source = new Readable({
      read() {
        this.push(Buffer.from('a'));
        this.destroy(broken);
      },
    });
    expect(await failureOf(view.put('a.txt', source))).toMatchObject({
      code: 'SOURCE_FAILED',
      cause: broken,
      key: 'a.txt',
    });
    expect(await failureOf(view.put('a.txt', Readable.from([Buffer.from('a')]), { size: 2 }))).toMatchObject({
      code: 'INTEGRITY_FAILED',
      key: 'a.txt',
      storage: 'ada',
    });
    expect(await keysOf(inner.list())).toEqual([]);
  });

  it('gives a pseudo-URL of its own key, and the working URL of the object', async () => {
    class Public extends MemoryStorage {
      override readonly capabilities = { ...new MemoryStorage().capabilities, urls: 'public' as const };

      protected override _url(key: string): Promise<string> {
        return Promise.resolve(`https://files.example/${key}`);
      }
    }
    expect(await view.url('a b.txt')).toBe('memory:///a%20b.txt');
    expect(await new ScopedStorage(new Public(), 'a/').url('b.txt')).toBe('https://files.example/a/b.txt');
  });

  it('releases the inner stream when its own is left', async () => {
    const opened: Readable[] = [];
    class Watching extends MemoryStorage {
      override async get(key: string): ReturnType<MemoryStorage['get']> {
        const stream = await super.get(key);
        opened.push(stream);
        return stream;
      }
    }
    const watched = new ScopedStorage(new Watching(), 'a/');
    await watched.put('long.bin', Buffer.alloc(1 << 20));
    for await (const chunk of await watched.get('long.bin')) {
      expect(chunk).toBeInstanceOf(Buffer);
      break;
    }
    (await watched.get('long.bin')).destroy();
    expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it('leaves the inner storage open when it is closed, and removes what was staged through it', async () => {
    const staged = await view.stage('a.txt', 'a');
    await view.close();
    await expect(view.exists('a.txt')).rejects.toMatchObject({ code: 'STORAGE_CLOSED', storage: 'ada' });
    await expect(staged.commit()).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    await inner.put('b.txt', 'b');
    expect(await keysOf(inner.list())).toEqual(['b.txt']);
  });

  it('can be a view of a view', async () => {
    const deep = new ScopedStorage(view, 'photos');
    await deep.put('me.png', 'x');
    expect(await keysOf(inner.list())).toEqual(['users/ada/photos/me.png']);
    expect((await failureOf(deep.info('gone.png'))).message).toBe('There is no file "gone.png" in this storage.');
    expect(deep.capabilities.maxKeyBytes).toBe(inner.capabilities.maxKeyBytes - 'users/ada/photos/'.length);
  });

  it('takes keys up to what the prefix leaves', async () => {
    const longest = 'k'.repeat(1024 - 'users/ada/'.length);
    expect((await view.put(longest, 'x')).key).toBe(longest);
    await expect(view.put(`${longest}k`, 'x')).rejects.toMatchObject({ code: 'INVALID_KEY', rule: 'too-long' });
  });

  it.each<[string, (of: Storage) => Storage]>([
    ['ScopedStorage', (of) => new ScopedStorage(of, 'a/')],
    ['ReadOnlyStorage', (of) => new ReadOnlyStorage(of)],
    ['RetryingStorage', (of) => new RetryingStorage(of)],
    ['TimeoutStorage', (of) => new TimeoutStorage(of, { timeout: 1000 })],
    ['one around another', (of) => new ReadOnlyStorage(new ScopedStorage(of, 'a/'))],
    ['one around a FaultyStorage', (of) => new ScopedStorage(new FaultyStorage(of), 'a/')],
  ])('%s is as strict as its inner storage, which could refuse nothing of what it gets', async (_name, wrap) => {
    const strict = wrap(new MemoryStorage({ keys: 'strict' }));
    await expect(strict.info('b/../c')).rejects.toMatchObject({ code: 'INVALID_KEY', rule: 'not-canonical' });
    const lenient = wrap(new MemoryStorage());
    await expect(lenient.info('b/../c')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('is less strict than its inner storage where it is told to', async () => {
    const lenient = new ScopedStorage(new MemoryStorage({ keys: 'strict' }), 'a/', { keys: 'sanitize' });
    expect((await lenient.put('b//c', 'x')).key).toBe('b/c');
  });

  it.each([{ key: 'strict' }, { owns: true }])('refuses %j, which is none of its options', (options) => {
    expect(() => new ScopedStorage(inner, 'a/', options as object)).toThrow('is not one of its settings (name, keys)');
  });

  it('keeps the strict mode that it was given', async () => {
    const strict = new ScopedStorage(inner, 'a/', { keys: 'strict' });
    await expect(strict.put('b//c', 'x')).rejects.toMatchObject({ rule: 'not-canonical' });
  });
});

describe('the prefix of a view', () => {
  it.each(['avatars', 'avatars/'])('may leave its last slash out: %j', (prefix) => {
    expect(new ScopedStorage(inner, prefix).prefix).toBe('avatars/');
  });

  it.each(['', '/', '/a', 'a//', 'a//b', '../a', 'a/./b', 'a\\b', 'a\n', '\ud800', 'a'.repeat(1024), undefined, 7])(
    'is refused when it is not canonical or leaves no room: %j',
    (prefix) => {
      expect(() => new ScopedStorage(inner, prefix as string)).toThrow(
        expect.objectContaining({
          code: 'INVALID_CONFIGURATION',
          message: expect.stringContaining('prefix') as unknown,
        }),
      );
    },
  );

  it('needs a storage', () => {
    expect(() => new ScopedStorage({} as Storage, 'a/')).toThrow('must be a storage');
  });
});
