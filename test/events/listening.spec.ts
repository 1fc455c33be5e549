import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Injectable,
  Logger,
  Module,
  Scope,
  type INestApplicationContext,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  getStorageToken,
  MemoryStorage,
  OnStorageEvent,
  RetryingStorage,
  StorageModule,
  StorageRegistry,
  type Storage,
  type StorageEvent,
  type StorageModuleOptions,
} from 'nestjs-storages';
import { FakeStorage, FaultyStorage } from 'nestjs-storages/testing';
import { MapStorage } from '../contract/map-storage.js';

const applications: INestApplicationContext[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(applications.splice(0).map((app) => app.close()));
});

async function start(
  storages: StorageModuleOptions['storages'],
  providers: Provider[],
  more: ModuleMetadata = {},
): Promise<INestApplicationContext> {
  const app = await Test.createTestingModule({
    ...more,
    imports: [StorageModule.forRoot({ storages, default: false }), ...(more.imports ?? [])],
    providers,
  }).compile();
  await app.init();
  applications.push(app);
  return app;
}

/** What is told of a change: who hears, the event and its key. */
const line = (who: string, { type, storage, key, ...rest }: StorageEvent): string =>
  `${who}: ${type} ${storage}/${key}${'from' in rest ? ` from ${rest.from}` : ''}`;

@Injectable()
class Everything {
  readonly heard: StorageEvent[] = [];

  @OnStorageEvent('files', ['committed', 'copied', 'moved', 'deleted'])
  note(event: StorageEvent): void {
    this.heard.push(event);
  }

  get lines(): string[] {
    return this.heard.map((event) => line('files', event));
  }
}

describe('A listener of a storage', () => {
  it('is told of each put, commit, copy, move and deletion once, with its key and its file', async () => {
    const storage = new MemoryStorage();
    const app = await start({ files: storage }, [Everything]);
    const listener = app.get(Everything);
    const before = Date.now();
    const put = await storage.put('a', 'one');
    const commit = await (await storage.stage('b', 'two')).commit();
    const copied = await storage.copy('a', 'c');
    const moved = await storage.move('c', 'd');
    await storage.delete('d');
    await storage.deleteMany(['a', 'missing']);
    await storage.deletePrefix('b');
    await turn();
    expect(listener.lines).toEqual([
      'files: committed files/a',
      'files: committed files/b',
      'files: copied files/c from a',
      'files: moved files/d from c',
      'files: deleted files/d',
      'files: deleted files/a',
      'files: deleted files/missing',
      'files: deleted files/b',
    ]);
    expect(listener.heard.map((event) => ('file' in event ? event.file : undefined))).toEqual([
      put,
      commit,
      copied,
      moved,
      ...Array.from({ length: 4 }),
    ]);
    for (const event of listener.heard) {
      expect(event.at.getTime()).toBeGreaterThanOrEqual(before);
      expect(Object.isFrozen(event)).toBe(true);
    }
  });

  it('is told nothing of what fails, changes nothing or is only read', async () => {
    const storage = new MemoryStorage();
    const app = await start({ files: storage }, [Everything]);
    await storage.put('a', 'x');
    await turn();
    app.get(Everything).heard.length = 0;
    await Promise.allSettled([
      storage.put('a', 'y', { ifNoneMatch: '*' }),
      storage.delete('missing'),
      storage.copy('missing', 'b'),
      storage.move('missing', 'b'),
      storage.put('b', 'z', { size: 7 }),
      storage.deleteMany(['\0']),
    ]);
    await storage.move('a', 'a');
    await (await storage.stage('c', 'x')).abort();
    await storage.getBytes('a');
    await storage.info('a');
    await turn();
    expect(app.get(Everything).lines).toEqual([]);
  });

  it('is called when the operation is over and its caller has gone on', async () => {
    const storage = new MemoryStorage();
    const order: string[] = [];
    @Injectable()
    class Listener {
      @OnStorageEvent('files', 'committed')
      note(): void {
        order.push('listener');
      }
    }
    await start({ files: storage }, [Listener]);
    await storage.put('a', 'x');
    order.push('caller');
    await Promise.resolve();
    order.push('still the caller');
    await turn();
    expect(order).toEqual(['caller', 'still the caller', 'listener']);
  });

  it('is any method of a provider or controller, under several decorators, with this', async () => {
    const heard: string[] = [];
    @Controller()
    class Listening {
      readonly name = 'controller';

      @OnStorageEvent('files', 'committed')
      @OnStorageEvent('others', ['deleted'])
      note(event: StorageEvent<'committed' | 'deleted'>): void {
        heard.push(line(this.name, event));
      }
    }
    const made = { provide: 'made', useFactory: () => new Everything() };
    const files = new MemoryStorage();
    const others = new MemoryStorage();
    const app = await start({ files, others }, [made, { provide: 'alias', useExisting: 'made' }], {
      controllers: [Listening],
    });
    await files.put('a', 'x');
    await files.delete('a');
    await others.put('b', 'x');
    await others.delete('b');
    await turn();
    expect(heard).toEqual(['controller: committed files/a', 'controller: deleted others/b']);
    expect(app.get<Everything>('made').lines).toEqual(['files: committed files/a', 'files: deleted files/a']);
  });

  it('that throws or rejects breaks nothing: it is logged as an error, without the key, and the others are called', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const storage = new MemoryStorage();
    @Injectable()
    class Failing {
      @OnStorageEvent('files', 'committed')
      throws(): void {
        throw new Error('secret-name redis://user:hunter2@host');
      }

      @OnStorageEvent('files', 'committed')
      async rejects(): Promise<void> {
        await turn();
        throw new TypeError('secret-name');
      }
    }
    const app = await start({ files: storage }, [Failing, Everything]);
    await storage.put('secret-name', 'x');
    await turn();
    await turn();
    await turn();
    expect(app.get(Everything).lines).toEqual(['files: committed files/secret-name']);
    const logged = error.mock.calls.map(([entry]): unknown => JSON.parse(JSON.stringify(entry)));
    const where = { event: 'committed', storage: 'files' };
    expect(logged).toMatchObject([
      { ...where, listener: 'Failing.throws()', error: 'Error' },
      { ...where, listener: 'Failing.rejects()', error: 'TypeError' },
    ]);
    expect(JSON.stringify(error.mock.calls)).not.toMatch(/secret-name|hunter2/);
    await expect(storage.getBytes('secret-name')).resolves.toEqual(Buffer.from('x'));
  });

  it('hears what is done while modules are initialized only when all of them have been', async () => {
    const storage = new MemoryStorage();
    const order: string[] = [];
    @Module({})
    class Early {
      async onModuleInit(): Promise<void> {
        await storage.put('early', 'x');
        await turn();
        order.push('initialized');
      }
    }
    @Injectable()
    class Listener {
      @OnStorageEvent('committed')
      note({ key }: StorageEvent<'committed'>): void {
        order.push(key);
      }
    }
    await start({ files: storage }, [Listener], { imports: [Early] });
    await turn();
    expect(order).toEqual(['initialized', 'early']);
  });

  it('hears nothing any more when its application has ended', async () => {
    const storage = new MemoryStorage();
    const app = await start({ files: storage }, [Everything]);
    await app.close();
    await storage.open();
    await storage.put('a', 'x');
    await turn();
    expect(app.get(Everything).lines).toEqual([]);
    await storage.close();
  });
});

describe('Which changes a listener hears', () => {
  it('of a view: those made through it, with its keys; of the storage behind it all, with full keys; without a name each once', async () => {
    const heard: string[] = [];
    @Injectable()
    class Listener {
      @OnStorageEvent('avatars', ['committed', 'moved', 'deleted'])
      view(event: StorageEvent): void {
        heard.push(line('view', event));
      }

      @OnStorageEvent('files', ['committed', 'moved', 'deleted'])
      behind(event: StorageEvent): void {
        heard.push(line('behind', event));
      }

      @OnStorageEvent(['committed', 'moved', 'deleted'])
      all(event: StorageEvent): void {
        heard.push(line('all', event));
      }
    }
    const files = new MemoryStorage();
    const app = await start({ files }, [Listener], {
      imports: [StorageModule.forFeature([{ name: 'avatars', storage: 'files', prefix: 'avatars/' }])],
    });
    const view = app.get(StorageRegistry).get('avatars');
    await view.put('ada', 'x');
    await view.move('ada', 'bob');
    await view.deletePrefix('b');
    await files.put('avatars/eve', 'x');
    await turn();
    expect(heard.filter((told) => told.startsWith('view'))).toEqual([
      'view: committed avatars/ada',
      'view: moved avatars/bob from ada',
      'view: deleted avatars/bob',
    ]);
    for (const who of ['behind', 'all']) {
      expect(heard.filter((told) => told.startsWith(who))).toEqual([
        `${who}: committed files/avatars/ada`,
        `${who}: moved files/avatars/bob from avatars/ada`,
        `${who}: deleted files/avatars/bob`,
        `${who}: committed files/avatars/eve`,
      ]);
    }
  });

  it('of wrappers over what is not registered, of a storage under two names, of the storages that tests put in: each once', async () => {
    const heard: string[] = [];
    @Injectable()
    class Listener {
      @OnStorageEvent('committed')
      @OnStorageEvent('twin', 'committed')
      all(event: StorageEvent): void {
        heard.push(line('all', event));
      }
    }
    const twin = new FakeStorage();
    const wrapped = new RetryingStorage(new MemoryStorage());
    const faulty = new FaultyStorage(new MemoryStorage());
    await start({ first: twin, twin, wrapped, faulty }, [Listener]);
    for (const storage of [twin, wrapped, faulty]) await storage.put('a', 'x');
    await turn();
    expect(heard).toEqual(['all: committed first/a', 'all: committed wrapped/a', 'all: committed faulty/a']);
  });

  it('of its own application, where another one has a storage of the same name', async () => {
    const mine = new MemoryStorage();
    const theirs = new MemoryStorage();
    const app = await start({ files: mine }, [Everything]);
    const other = await start({ files: theirs }, [Everything]);
    await theirs.put('theirs', 'x');
    await mine.put('mine', 'x');
    await turn();
    expect(app.get(Everything).lines).toEqual(['files: committed files/mine']);
    expect(other.get(Everything).lines).toEqual(['files: committed files/theirs']);
  });

  it('of a storage that was put in its place by a test', async () => {
    const fake = new FakeStorage();
    const app = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ storages: { files: new MemoryStorage() } })],
      providers: [Everything],
    })
      .overrideProvider(getStorageToken('files'))
      .useValue(fake)
      .compile();
    await app.init();
    applications.push(app);
    await fake.put('a', 'x');
    await turn();
    expect(app.get(Everything).lines).toEqual(['files: committed files/a']);
  });
});

describe('The start fails', () => {
  const listening = (decorator: MethodDecorator, scope = Scope.DEFAULT): Provider => {
    @Injectable({ scope })
    class Listener {
      note(): void {
        // never called
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Listener.prototype, 'note');
    if (descriptor !== undefined) decorator(Listener.prototype, 'note', descriptor);
    return Listener;
  };
  // as JavaScript may call it
  const on = OnStorageEvent as unknown as (...given: unknown[]) => MethodDecorator;
  const known = 'Known events: "committed", "copied", "moved", "deleted".';

  it.each([
    [
      'for an unknown storage, with the known names',
      listening(on('avatrs', 'committed')),
      'Listener.note(): there is no storage "avatrs". Known names: "files".',
    ],
    [
      'for an unknown event, with the known ones',
      listening(on('files', ['committed', 'stored'])),
      `names no event of a storage: "stored". ${known}`,
    ],
    [
      'for a name alone',
      listening(on('files')),
      `no event of a storage: "files". ${known} A storage's name comes before them`,
    ],
    ['for no event', listening(on('files', [])), `names no event. ${known}`],
    ['for a request-scoped listener', listening(on('committed'), Scope.REQUEST), 'is request-scoped or transient'],
    ['for a transient listener', listening(on('committed'), Scope.TRANSIENT), 'is request-scoped or transient'],
  ])('%s', async (_, listener, message) => {
    const storage = new MemoryStorage();
    await expect(start({ files: storage }, [listener])).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining(message),
    });
  });

  it('for a storage that tells nothing, where it is named', async () => {
    // as a storage of somebody else's that has the methods, and none of what BaseStorage does
    const mute = new Proxy<Storage>(new FaultyStorage(new MemoryStorage()), {
      get: (target, name) => {
        if (name === Symbol.for('nestjs-storages:inner-storage')) return undefined;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await expect(start({ files: mute }, [listening(on('files', 'committed'))])).rejects.toThrow(
      'the storage "files" tells nobody of what it does',
    );
  });

  it('for a static method, at its decorator', () => {
    expect(() => {
      on('committed')(class Listener {}, 'note', { value: () => undefined });
    }).toThrow('is no method of an instance');
  });
});

it('A storage of somebody else tells too, if it extends BaseStorage', async () => {
  const storage = new MapStorage();
  const app = await start({ files: storage }, [Everything]);
  await storage.put('a', 'x');
  await storage.move('a', 'b');
  await turn();
  expect(app.get(Everything).lines).toEqual(['files: committed files/a', 'files: moved files/b from a']);
});
