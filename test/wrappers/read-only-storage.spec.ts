import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, ReadOnlyStorage, type Storage } from 'nestjs-storages';
import { collect, recording } from './recording.js';

let memory: MemoryStorage;
let inner: Storage;
let calls: string[];
let storage: ReadOnlyStorage;
beforeEach(async () => {
  memory = new MemoryStorage();
  await memory.put('a', 'bytes');
  ({ storage: inner, calls } = recording(memory));
  storage = new ReadOnlyStorage(inner, { name: 'archive' });
});

const WRITES: readonly (readonly [string, (storage: Storage) => Promise<unknown>, string | undefined])[] = [
  ['put', (files) => files.put('b', 'b'), 'b'],
  ['put', (files) => files.put('b', 'b', { ifNoneMatch: '*' }), 'b'],
  ['stage', (files) => files.stage('b', 'b'), 'b'],
  ['delete', (files) => files.delete('a'), 'a'],
  ['delete', (files) => files.delete('gone', { force: true }), 'gone'],
  ['deleteMany', (files) => files.deleteMany(['a']), undefined],
  ['deleteMany', (files) => files.deleteMany([]), undefined],
  ['deletePrefix', (files) => files.deletePrefix('none/'), undefined],
  ['copy', (files) => files.copy('a', 'b'), 'a'],
  ['copy', (files) => files.copy('a', 'a'), 'a'],
  ['move', (files) => files.move('a', 'b'), 'a'],
  ['uploadUrl', (files) => files.uploadUrl('b', { expiresIn: 60 }), 'b'],
];

describe('a read-only storage', () => {
  it.each(WRITES)('refuses %s before anything of the inner storage is called (%#)', async (operation, write, key) => {
    const error: unknown = await write(storage).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      operation,
      storage: 'archive',
      key,
      retryable: false,
    });
    expect((error as Error).message).toBe(
      `This storage is read-only: ${operation}() is refused. Write to the storage that it was made of.`,
    );
    // not even to open it
    expect(calls).toEqual([]);
    expect((await collect(memory.list())).map(({ key: kept }) => kept)).toEqual(['a']);
  });

  it.each(['put', 'stage'] as const)('destroys a stream that was given to %s, unread', async (method) => {
    let asked = false;
    const source = new Readable({
      read: () => {
        asked = true;
      },
    });
    await expect(storage[method]('b', source)).rejects.toMatchObject({ code: 'UNSUPPORTED_OPERATION' });
    expect([source.destroyed, asked]).toEqual([true, false]);
  });

  it('says in its capabilities what it cannot do, and keeps the rest', () => {
    expect(storage.capabilities).toEqual({
      ...memory.capabilities,
      uploadUrls: false,
      createOnly: false,
      compareAndSwap: false,
      conditionalCopy: false,
    });
    expect(Object.isFrozen(storage.capabilities)).toBe(true);
  });

  it('reads what is written beside it', async () => {
    await memory.put('b', 'beside');
    expect((await storage.getBytes('b')).toString()).toBe('beside');
    expect((await collect(storage.list())).map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('says that it is closed, once it is', async () => {
    await storage.close();
    await expect(storage.put('b', 'b')).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation: 'put' });
  });

  it.each([
    [{ owns: 'yes' }, 'owns'],
    [{ readonly: true }, 'readonly'],
    [{ keys: 'loose' }, 'keys'],
    [null, 'options'],
  ])('refuses a setting that cannot be meant: %j', (options, field) => {
    expect(() => new ReadOnlyStorage(inner, options as object)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(field) as unknown }),
    );
  });
});
