import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type Type } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  getStorageToken,
  InjectStorage,
  MemoryStorage,
  Storage,
  StorageModule,
  StorageRegistry,
  type StorageOptions,
  type StorageOptionsFactory,
} from 'nestjs-storages';
import { FakeStorage } from 'nestjs-storages/testing';
import { RecordingStorage } from './recording-storage.js';

function consumerOf(...names: (string | undefined)[]): Type<{ storages: Storage[] }> {
  @Injectable()
  class Consumer {
    readonly storages: Storage[];

    constructor(...storages: Storage[]) {
      this.storages = storages;
    }
  }
  names.forEach((name, index) => {
    InjectStorage(name)(Consumer, undefined, index);
  });
  return Consumer;
}

function feature(consumer: Type, ...imports: DynamicModule[]): DynamicModule {
  return { module: class FeatureModule {}, imports, providers: [consumer], exports: [consumer] };
}

describe('the same storage in several places', () => {
  it('gives a view the strictness of its storage, unless it is told another', async () => {
    const moduleRef = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({ storages: { uploads: new MemoryStorage({ keys: 'strict' }) } }),
        StorageModule.forFeature([
          { name: 'strict', storage: 'uploads', prefix: 'acme/' },
          { name: 'lenient', storage: 'uploads', prefix: 'acme/', keys: 'sanitize' },
        ]),
      ],
    }).compile();
    const get = (name: string): Storage => moduleRef.get<Storage>(getStorageToken(name), { strict: false });
    await expect(get('strict').put('a/../b', 'x')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect((await get('lenient').put('a/../b', 'x')).key).toBe('b');
    await moduleRef.close();
  });

  it('is injected into two feature modules', async () => {
    const [One, Two] = [consumerOf('a'), consumerOf('a', undefined)];
    const app = await Test.createTestingModule({
      imports: [feature(One), StorageModule.forRoot({ storages: { a: new MemoryStorage() } }), feature(Two)],
    }).compile();
    const a = app.get<Storage>(getStorageToken('a'));
    expect(app.get(One).storages).toEqual([a]);
    expect(app.get(Two).storages).toEqual([a, a]);
    await app.close();
  });

  it('is seen through a view only in the module that asks for it, or that gets it exported', async () => {
    const Consumer = consumerOf('avatars');
    const uploads = new MemoryStorage();
    const root = StorageModule.forRoot({ storages: { uploads } });
    const view = StorageModule.forFeature([{ name: 'avatars', storage: 'uploads', prefix: 'avatars' }]);
    const [One, Two] = [consumerOf('avatars'), consumerOf('avatars')];
    const app = await Test.createTestingModule({ imports: [root, feature(One, view), feature(Two, view)] }).compile();
    await app.init();
    const [avatars] = app.get(One).storages;
    expect(app.get(Two).storages).toEqual([avatars]);
    expect(app.get(StorageRegistry).get('avatars')).toBe(avatars);
    await avatars?.put('ada.png', 'x');
    expect(await uploads.exists('avatars/ada.png')).toBe(true);
    await expect(avatars?.info('eve.png')).rejects.toMatchObject({ key: 'eve.png', storage: 'avatars' });
    await app.close();

    const again = () => StorageModule.forFeature([{ name: 'avatars', storage: 'uploads', prefix: 'avatars' }]);
    const both = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({ storages: { uploads: new MemoryStorage() } }),
        feature(One, again()),
        feature(Two, again()),
      ],
    }).compile();
    expect(both.get(One).storages).toEqual(both.get(Two).storages);
    expect(both.get(One).storages[0]).toBe(both.get(Two).storages[0]);
    await both.close();

    await expect(
      Test.createTestingModule({ imports: [root, feature(One, view), feature(Consumer)] }).compile(),
    ).rejects.toThrow('Storage:avatars');
  });
});

it('hides the storages of a module that is not global from those who do not import it', async () => {
  const Consumer = consumerOf('a', undefined);
  const root = StorageModule.forRoot({ isGlobal: false, storages: { a: new MemoryStorage() } });
  await expect(Test.createTestingModule({ imports: [root, feature(Consumer)] }).compile()).rejects.toThrow('Storage:a');
  const app = await Test.createTestingModule({ imports: [feature(Consumer, root)] }).compile();
  expect(app.get(Consumer).storages).toHaveLength(2);
  await app.close();
});

describe('a factory', () => {
  @Injectable()
  class Settings {
    readonly maxBytes = 7;
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  it('gets other storages by their tokens, of its own forRoot and of another one', async () => {
    const a = new MemoryStorage();
    const seen: Storage[] = [];
    const see = (...storages: Storage[]): Storage => {
      seen.push(...storages);
      return new MemoryStorage();
    };
    const app = await Test.createTestingModule({
      imports: [
        StorageModule.forRootAsync({
          names: ['c'],
          default: false,
          inject: [getStorageToken('a'), getStorageToken('b')],
          useFactory: (...storages: Storage[]) => ({ storages: { c: see(...storages) } }),
        }),
        StorageModule.forRoot({
          default: 'a',
          storages: {
            b: { useFactory: see, inject: [getStorageToken('a')] },
            a: { useFactory: () => Promise.resolve(a) },
          },
        }),
      ],
    }).compile();
    expect(seen).toEqual([a, a, app.get(getStorageToken('b'))]);
    expect(app.get(StorageRegistry).names().sort()).toEqual(['a', 'b', 'c']);
    await app.close();
  });

  it('gets what its imports export', async () => {
    const quota = { useFactory: ({ maxBytes }: Settings) => new MemoryStorage({ maxBytes }), inject: [Settings] };
    const app = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({ storages: { a: { ...quota, imports: [SettingsModule] } } }),
        StorageModule.forFeature([{ name: 'b', ...quota, imports: [SettingsModule] }]),
      ],
    }).compile();
    for (const name of ['a', 'b']) {
      await expect(app.get(StorageRegistry).get(name).put('x', '12345678')).rejects.toMatchObject({
        code: 'QUOTA_EXCEEDED',
      });
    }
    await app.close();
  });

  it('of forRootAsync is a function, a class or an existing provider', async () => {
    @Injectable()
    class Factory implements StorageOptionsFactory {
      constructor(readonly settings: Settings) {}

      createStorageOptions(): StorageOptions {
        return { storages: { a: new MemoryStorage({ maxBytes: this.settings.maxBytes }) } };
      }
    }
    @Module({ imports: [SettingsModule], providers: [Factory], exports: [Factory] })
    class FactoryModule {}
    for (const way of [
      { imports: [SettingsModule], useClass: Factory },
      { imports: [FactoryModule], useExisting: Factory },
      {
        extraProviders: [Settings],
        inject: [Settings],
        useFactory: (settings: Settings) => new Factory(settings).createStorageOptions(),
      },
    ]) {
      const app = await Test.createTestingModule({
        imports: [StorageModule.forRootAsync({ names: ['a'], ...way })],
      }).compile();
      await expect(app.get(Storage).put('x', '12345678')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await app.close();
    }
  });
});

describe('overrideProvider(getStorageToken(name))', () => {
  it('puts a fake in every place of a storage, which is neither opened nor closed', async () => {
    const events: string[] = [];
    const Consumer = consumerOf('b', undefined);
    for (const root of [
      StorageModule.forRoot({
        default: 'b',
        storages: { a: new MemoryStorage(), b: new RecordingStorage('b', events) },
      }),
      StorageModule.forRootAsync({
        names: ['a', 'b'],
        default: 'b',
        useFactory: () => ({ storages: { a: new MemoryStorage(), b: new RecordingStorage('b', events) } }),
      }),
    ]) {
      const fake = new FakeStorage();
      const view = StorageModule.forFeature([{ name: 'view', storage: 'b', prefix: 'view/' }]);
      const app = await Test.createTestingModule({ imports: [root, view], providers: [Consumer] })
        .overrideProvider(getStorageToken('b'))
        .useValue(fake)
        .compile();
      await app.init();
      expect(app.get(Consumer).storages).toEqual([fake, fake]);
      const registry = app.get(StorageRegistry);
      expect([registry.get('b'), registry.get()]).toEqual([fake, fake]);
      await registry.get('view').put('x.txt', 'x');
      expect(await fake.exists('view/x.txt')).toBe(true);
      await app.close();
      expect(events).toEqual([]);
    }
  });

  it('takes something partial too, in a test that needs no more', async () => {
    const partial = { exists: () => Promise.resolve(true) };
    const app = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ storages: { a: { useFactory: () => new MemoryStorage() } } })],
    })
      .overrideProvider(getStorageToken('a'))
      .useValue(partial)
      .compile();
    await app.init();
    expect(app.get(Storage)).toBe(partial);
    await app.close();
  });
});

describe('a module that is loaded lazily', () => {
  it('gets the storages of the application, and adds views and storages, which are opened at once and closed at the end', async () => {
    const events: string[] = [];
    const Consumer = consumerOf('a', 'lazy-view', 'lazy-own');
    const app = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ storages: { a: new RecordingStorage('a', events) } })],
    }).compile();
    await app.init();
    const lazily = feature(
      Consumer,
      StorageModule.forFeature([
        { name: 'lazy-view', prefix: 'lazy/' },
        { name: 'lazy-own', useFactory: () => new RecordingStorage('own', events) },
        { name: 'lazy-again', useFactory: (storage: Storage) => storage, inject: [Storage] },
      ]),
    );
    const loader = app.get(LazyModuleLoader);
    const moduleRef = await loader.load(() => lazily);
    expect(await loader.load(() => lazily)).toBe(moduleRef);
    const [a, view] = moduleRef.get(Consumer).storages;
    expect(a).toBe(app.get(Storage));
    await view?.put('x.txt', 'x');
    expect(await a?.exists('lazy/x.txt')).toBe(true);
    expect(app.get(StorageRegistry).names().sort()).toEqual(['a', 'lazy-again', 'lazy-own', 'lazy-view']);
    await app.close();
    expect(events.slice(0, 2)).toEqual(['open a', 'open own']);
    expect(events.slice(2).sort()).toEqual(['close a', 'close own']);
  });

  it('fails to load with a storage that cannot be opened', async () => {
    const app = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ storages: { a: new MemoryStorage() } })],
    }).compile();
    await app.init();
    const bad = StorageModule.forFeature([{ name: 'bad', useFactory: () => new RecordingStorage('bad', [], 'open') }]);
    await expect(app.get(LazyModuleLoader).load(() => bad)).rejects.toThrow('The storage "bad" could not be opened');
    await app.close();
  });

  it('can bring the first forRoot of an application', async () => {
    const app = await Test.createTestingModule({}).compile();
    await app.init();
    const root = StorageModule.forRoot({ storages: { a: new MemoryStorage() } });
    const moduleRef = await app.get(LazyModuleLoader).load(() => root);
    expect(moduleRef.get(Storage, { strict: false })).toBe(moduleRef.get(StorageRegistry, { strict: false }).get('a'));
    await app.close();
  });
});
