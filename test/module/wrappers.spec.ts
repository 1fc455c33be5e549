import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  getStorageToken,
  ReadOnlyStorage,
  RetryingStorage,
  ScopedStorage,
  StorageModule,
  TimeoutStorage,
  type Storage,
  type StorageModuleOptions,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { RecordingStorage } from './recording-storage.js';

type Storages = StorageModuleOptions['storages'];

/** What became of the storages of an application that was started and closed. */
async function lifeOf(storages: Storages, use?: (get: (name: string) => Storage) => Promise<void>): Promise<void> {
  const app = await Test.createTestingModule({ imports: [StorageModule.forRoot({ storages })] }).compile();
  await app.init();
  await use?.((name) => app.get<Storage>(getStorageToken(name)));
  await app.close();
}

const WRAPPERS = {
  ReadOnlyStorage: (inner: Storage) => new ReadOnlyStorage(inner),
  RetryingStorage: (inner: Storage) => new RetryingStorage(inner),
  TimeoutStorage: (inner: Storage) => new TimeoutStorage(inner),
  'RetryingStorage and TimeoutStorage': (inner: Storage) => new RetryingStorage(new TimeoutStorage(inner)),
};

describe.each(Object.entries(WRAPPERS))('%s in a module', (_name, wrap) => {
  it('given alone opens and closes the storage that it was made of, once', async () => {
    const events: string[] = [];
    const inner = new RecordingStorage('disk', events);
    await lifeOf({ archive: wrap(inner) }, async (get) => {
      expect(events).toEqual(['open disk']);
      const failure = get('archive').info('gone');
      await expect(failure).rejects.toMatchObject({ storage: 'archive', key: 'gone' });
    });
    expect(events).toEqual(['open disk', 'close disk']);
    await expect(inner.exists('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
  });

  it('leaves a storage that is registered too to the module', async () => {
    for (const order of ['before', 'after'] as const) {
      const events: string[] = [];
      const disk = new RecordingStorage('disk', events);
      await lifeOf(order === 'before' ? { disk, archive: wrap(disk) } : { archive: wrap(disk), disk });
      expect(events).toEqual(['open disk', 'close disk']);
    }
  });

  it('made by a factory of a registered storage is closed before that', async () => {
    const events: string[] = [];
    const disk = new RecordingStorage('disk', events);
    await lifeOf({ disk, archive: { useFactory: wrap, inject: [getStorageToken('disk')] } }, async (get) => {
      await get('disk').put('a', 'a');
      expect((await get('archive').getBytes('a')).toString()).toBe('a');
    });
    expect(events).toEqual(['open disk', 'close disk']);
  });

  it('serves one application after the other', async () => {
    const events: string[] = [];
    const archive = wrap(new RecordingStorage('disk', events));
    for (const _application of [1, 2]) {
      await lifeOf({ archive }, async (get) => {
        expect(await get('archive').exists('a')).toBe(false);
      });
    }
    expect(events).toEqual(['open disk', 'close disk', 'open disk', 'close disk']);
  });

  it('says under its own name why it could not be opened', async () => {
    const inner = new RecordingStorage('disk', [], 'open');
    await expect(lifeOf({ archive: wrap(inner) })).rejects.toMatchObject({
      storage: 'archive',
      operation: 'open',
      message: expect.stringContaining('The open of disk failed on purpose.') as unknown,
    });
  });
});

describe('the ownership of a wrapper', () => {
  it('is what `owns` says', async () => {
    const events: string[] = [];
    const disk = new RecordingStorage('disk', events);
    const kept = new ReadOnlyStorage(disk, { owns: false });
    await kept.exists('a');
    await kept.close();
    // its first call opened it by itself
    expect(events).toEqual(['open disk']);
    const owning = new ReadOnlyStorage(disk, { owns: true });
    await owning.exists('a');
    await owning.close();
    expect(events).toEqual(['open disk', 'close disk']);
  });

  it('works for a storage that has no open of its own', async () => {
    const inner = new FaultyStorage(new RecordingStorage('disk', []));
    const storage = new TimeoutStorage(Object.assign(inner, { open: undefined }));
    expect(await storage.exists('a')).toBe(false);
    await storage.close();
    await expect(inner.exists('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
  });

  it('of a view stays with whoever made the storage', async () => {
    const events: string[] = [];
    const disk = new RecordingStorage('disk', events);
    await lifeOf({ archive: new ReadOnlyStorage(new ScopedStorage(disk, 'archive')) }, async (get) => {
      expect(await get('archive').exists('a')).toBe(false);
    });
    expect(events).toEqual(['open disk']);
    await disk.close();
  });
});

describe('a view of a wrapped storage', () => {
  it('is refused writes by a read-only storage, in the words of the view', async () => {
    const files = new RecordingStorage('disk', []);
    const app = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({ storages: { archive: new ReadOnlyStorage(files) } }),
        StorageModule.forFeature([{ name: 'year', storage: 'archive', prefix: '2026' }]),
      ],
    }).compile();
    await app.init();
    await files.put('2026/a', 'a');
    const year = app.get<Storage>(getStorageToken('year'));
    expect((await year.getBytes('a')).toString()).toBe('a');
    await expect(year.put('b', 'b')).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      storage: 'year',
      operation: 'put',
      key: 'b',
    });
    await app.close();
  });
});
