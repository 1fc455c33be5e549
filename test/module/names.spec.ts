import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  getStorageToken,
  InjectStorage,
  MemoryStorage,
  Storage,
  StorageModule,
  StorageRegistry,
} from 'nestjs-storages';

const start = async (metadata: () => ModuleMetadata): Promise<TestingModule> =>
  (await Test.createTestingModule(metadata()).compile()).init();

const memory = (): MemoryStorage => new MemoryStorage();

describe('a wrong name fails at start-up, and the message lists the known ones', () => {
  it('in @InjectStorage', async () => {
    @Injectable()
    class Consumer {
      constructor(@InjectStorage('uplaods') readonly storage: Storage) {}
    }
    @Module({ providers: [Consumer] })
    class FeatureModule {}
    await expect(
      start(() => ({
        imports: [FeatureModule, StorageModule.forRoot({ storages: { uploads: memory(), archive: memory() } })],
      })),
    ).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: 'There is no storage "uplaods". Known names: "uploads", "archive".',
    });
  });

  it('in @InjectStorage of a property, and of a request-scoped class', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Consumer {
      @InjectStorage('property-typo') readonly storage!: Storage;
    }
    await expect(
      start(() => ({
        imports: [
          StorageModule.forRootAsync({ names: ['uploads'], useFactory: () => ({ storages: { uploads: memory() } }) }),
        ],
        providers: [Consumer],
      })).then((app) => app.resolve(Consumer)),
    ).rejects.toThrow('There is no storage "property-typo". Known names: "uploads".');
  });

  it('in a view of forFeature', async () => {
    await expect(
      start(() => ({
        imports: [
          StorageModule.forRoot({ storages: { uploads: memory() } }),
          StorageModule.forFeature([{ name: 'avatars', storage: 'view-typo', prefix: 'avatars/' }]),
        ],
      })),
    ).rejects.toThrow('There is no storage "view-typo". Known names: "uploads", "avatars".');
  });

  it('as the default', async () => {
    await expect(
      start(() => ({
        imports: [StorageModule.forRoot({ default: 'nobody', storages: { uploads: memory(), archive: memory() } })],
      })),
    ).rejects.toThrow('There is no storage "nobody". Known names: "uploads", "archive".');
  });

  it('in the registry', async () => {
    const app = await start(() => ({ imports: [StorageModule.forRoot({ storages: { uploads: memory() } })] }));
    expect(() => app.get(StorageRegistry).get('typo')).toThrow('There is no storage "typo". Known names: "uploads".');
    await app.close();
  });

  it('which never hinders an application that provides the name by hand', async () => {
    const mine = memory();
    @Injectable()
    class Consumer {
      constructor(@InjectStorage('by-hand') readonly storage: Storage) {}
    }
    const provider = { provide: getStorageToken('by-hand'), useValue: mine };
    @Module({ providers: [provider], exports: [provider] })
    class HandModule {}
    @Module({ imports: [HandModule], providers: [Consumer] })
    class FeatureModule {}
    const app = await start(() => ({
      imports: [StorageModule.forRoot({ storages: { uploads: memory() } }), FeatureModule],
    }));
    expect(app.get(Consumer).storage).toBe(mine);
    await app.close();

    const global = { module: class GlobalHandModule {}, global: true, providers: [provider], exports: [provider] };
    // in a module that imports nothing Nest looks at the global ones in the order in which it found them
    const other = await start(() => ({
      imports: [
        StorageModule.forRoot({ storages: { uploads: memory() } }),
        { module: class BareModule {}, providers: [Consumer] },
        global,
      ],
    }));
    expect(other.get(Consumer).storage).toBe(mine);
    await other.close();
  });
});

describe('a doubled name fails at start-up', () => {
  const doubled = 'The storage name "uploads" is given twice';

  it('in two forRoot calls', async () => {
    await expect(
      start(() => ({
        imports: [
          StorageModule.forRoot({ storages: { uploads: memory(), archive: memory() } }),
          StorageModule.forRoot({ storages: { uploads: memory() } }),
        ],
      })),
    ).rejects.toThrow(doubled);
  });

  it('in forRoot and forRootAsync, and twice in the names of one', async () => {
    const async = (...names: string[]) =>
      StorageModule.forRootAsync({ names, useFactory: () => ({ storages: { uploads: memory() } }) });
    await expect(
      start(() => ({ imports: [StorageModule.forRoot({ storages: { uploads: memory() } }), async('uploads')] })),
    ).rejects.toThrow(doubled);
    await expect(start(() => ({ imports: [async('uploads', 'uploads')] }))).rejects.toThrow(
      'Announced: "uploads", "uploads". Made: "uploads".',
    );
  });

  it('in forFeature, within one call, beside another and beside forRoot', async () => {
    const root = StorageModule.forRoot({ storages: { uploads: memory() } });
    const view = { name: 'avatars', storage: 'uploads', prefix: 'avatars/' };
    const other = { ...view, prefix: 'others/' }; // the same view in two modules is one
    await expect(start(() => ({ imports: [root, StorageModule.forFeature([view, view])] }))).rejects.toThrow(
      'The storage name "avatars" is given twice',
    );
    await expect(
      start(() => ({ imports: [root, StorageModule.forFeature([view]), StorageModule.forFeature([other])] })),
    ).rejects.toThrow('The storage name "avatars" is given twice');
    await expect(
      start(() => ({ imports: [root, StorageModule.forFeature([{ name: 'uploads', useValue: memory() }])] })),
    ).rejects.toThrow(doubled);
  });
});

describe('a value that is no storage fails at start-up by its name', () => {
  const broken = { put: () => undefined } as unknown as Storage;
  const message = 'The storage "uploads" must be a storage, that is, have every method of Storage';

  it.each([
    ['an instance', () => StorageModule.forRoot({ storages: { uploads: broken } })],
    ['nothing', () => StorageModule.forRoot({ storages: { uploads: undefined as unknown as Storage } })],
    ['a class', () => StorageModule.forRoot({ storages: { uploads: MemoryStorage as unknown as Storage } })],
    ['useFactory', () => StorageModule.forRoot({ storages: { uploads: { useFactory: () => broken } } })],
    [
      'useClass',
      () => StorageModule.forRoot({ storages: { uploads: { useClass: class Other {} as typeof MemoryStorage } } }),
    ],
    ['useExisting', () => StorageModule.forRoot({ storages: { uploads: { useExisting: StorageRegistry } } })],
    [
      'forRootAsync',
      () => StorageModule.forRootAsync({ names: ['uploads'], useFactory: () => ({ storages: { uploads: broken } }) }),
    ],
    ['forFeature', () => StorageModule.forFeature([{ name: 'uploads', useValue: broken }])],
    ['forFeature with useFactory', () => StorageModule.forFeature([{ name: 'uploads', useFactory: () => broken }])],
  ])('given as %s', async (_, module) => {
    await expect(start(() => ({ imports: [module()] }))).rejects.toThrow(message);
  });
});

describe('forRootAsync', () => {
  it.each([
    ['one is missing', { uploads: memory() }, 'Announced: "uploads", "archive". Made: "uploads".'],
    [
      'one is another',
      { uploads: memory(), drafts: memory() },
      'Announced: "uploads", "archive". Made: "uploads", "drafts".',
    ],
  ])('fails when the factory makes other storages than were announced: %s', async (_, storages, said) => {
    await expect(
      start(() => ({
        imports: [
          StorageModule.forRootAsync({
            names: ['uploads', 'archive'],
            useFactory: () => ({ storages }),
          }),
        ],
      })),
    ).rejects.toThrow(said);
  });

  it('fails without a factory, and when the factory gives no storages', async () => {
    await expect(start(() => ({ imports: [StorageModule.forRootAsync({ names: ['a'] })] }))).rejects.toThrow(
      'needs one of useFactory, useClass and useExisting',
    );
    await expect(
      start(() => ({ imports: [StorageModule.forRootAsync({ names: ['a'], useFactory: () => undefined as never })] })),
    ).rejects.toThrow('must give { storages: { ... } }');
  });
});

describe('the default storage', () => {
  const root = (name: string, settings: { default?: string | false } = {}) =>
    StorageModule.forRoot({ storages: { [name]: new MemoryStorage({ name }) }, ...settings });

  it('is the only one, and of two forRoot calls the first', async () => {
    const app = await start(() => ({ imports: [root('a'), root('b')] }));
    expect(app.get(StorageRegistry).defaultName).toBe('a');
    expect(app.get(StorageRegistry).names()).toEqual(['a', 'b']);
    await app.close();
  });

  it('is another one only when that is said', async () => {
    const app = await start(() => ({ imports: [root('a', { default: false }), root('b')] }));
    expect(app.get(Storage)).toBe(app.get(getStorageToken('b')));
    await app.close();
    await expect(
      start(() => ({ imports: [root('a', { default: 'a' }), root('b', { default: 'b' })] })),
    ).rejects.toThrow('Two storages are to be the default one: "a" and "b".');
    await expect(start(() => ({ imports: [root('a'), root('b', { default: 'b' })] }))).rejects.toThrow(
      'Two storages are to be the default one: "a" (the only one of its forRoot()) and "b". Say { default: false }',
    );
  });
});

it('an option that nobody knows is refused where a factory gives it too', async () => {
  const useFactory = () => ({ storages: { files: memory() }, default: 'files' });
  const root = StorageModule.forRootAsync({ names: ['files'], useFactory });
  await expect(Test.createTestingModule({ imports: [root] }).compile()).rejects.toThrow(
    'StorageModule.forRootAsync(), its factory: default is not one of its options (storages, upload, serve, shutdown).',
  );
});

describe('options of another form than TypeScript would let pass', () => {
  const storages = memory();
  it.each([
    ['forRoot', {}, 'storages'],
    ['forRoot', { storages: [storages] }, 'storages'],
    ['forRoot', { uploads: storages }, 'storages'],
    ['forRootAsync', { useFactory: () => ({ storages: {} }) }, "names: ['uploads']"],
    ['forRootAsync', { names: 'uploads', useFactory: () => ({ storages: {} }) }, "names: ['uploads']"],
    ['forFeature', { name: 'avatars', storage: 'uploads', prefix: 'avatars/' }, 'an array'],
    ['forRoot', { storages: {}, shutDown: {} }, 'shutDown is not one of its options (default, '],
    ['forRootAsync', { names: [], isGlobl: true }, 'isGlobl is not one of its options (default, '],
    ['forFeature', [{ name: 'avatars', prefix: 'avatars/', key: 'strict' }], 'key is not one of its options (name, '],
  ] as const)('are refused by %s(%j), which shows the form', (method, options, form) => {
    const register: (options: never) => unknown = StorageModule[method].bind(StorageModule);
    expect(() => register(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIGURATION', message: expect.stringContaining(form) }),
    );
  });
});
