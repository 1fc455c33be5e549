import { once } from 'node:events';
import { request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, Logger, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { getStorageToken, InjectStorage, Storage, StorageModule, StorageRegistry } from 'nestjs-storages';
import { RecordingStorage } from './recording-storage.js';

const compile = (...imports: NonNullable<ModuleMetadata['imports']>): Promise<TestingModule> =>
  Test.createTestingModule({ imports }).compile();

describe('storages are opened when the application starts', () => {
  it('before the hooks of the modules that use them', async () => {
    const events: string[] = [];
    @Module({})
    class UserModule {
      onModuleInit(): void {
        events.push('init of a module');
      }
    }
    const app = await compile(
      UserModule,
      StorageModule.forRoot({ storages: { a: new RecordingStorage('a', events) } }),
    );
    expect(events).toEqual([]);
    await app.init();
    expect(events).toEqual(['open a', 'init of a module']);
    await app.close();
  });

  it('and a failure names the storage, closes the others and fails the start', async () => {
    const events: string[] = [];
    const app = await compile(
      StorageModule.forRoot({
        default: 'good',
        storages: { good: new RecordingStorage('good', events), bad: new RecordingStorage('bad', events, 'open') },
      }),
      StorageModule.forFeature([{ name: 'view', storage: 'bad', prefix: 'view/' }]),
    );
    await expect(app.init()).rejects.toMatchObject({
      message: 'The storage "bad" could not be opened: The open of bad failed on purpose.',
      storage: 'bad',
      operation: 'open',
    });
    expect(events).toEqual(['open good', 'open bad', 'close good', 'close bad']);
  });

  it('and one that depends on a request is refused', async () => {
    const app = await compile(
      StorageModule.forRoot({
        storages: { tenant: { useFactory: () => new RecordingStorage('tenant', []), inject: ['REQUEST'] } },
      }),
    );
    await expect(app.init()).rejects.toThrow('"tenant" was not made at its start');
  });
});

describe('each storage is closed once when the application ends', () => {
  it.each([
    ['a testing module', (root: ReturnType<typeof StorageModule.forRoot>) => compile(root).then((app) => app.init())],
    [
      'an application context',
      (root: ReturnType<typeof StorageModule.forRoot>) =>
        NestFactory.createApplicationContext({ module: class AppModule {}, imports: [root] }, { logger: false }),
    ],
  ])('of %s', async (_, start) => {
    const events: string[] = [];
    const instance = new RecordingStorage('instance', events);
    const app = await start(
      StorageModule.forRoot({
        default: 'instance',
        storages: {
          instance,
          again: instance,
          made: { useFactory: () => Promise.resolve(new RecordingStorage('made', events)) },
          alias: { useExisting: getStorageToken('made') },
        },
      }),
    );
    expect(app.get(StorageRegistry).get('alias')).toBe(app.get(getStorageToken('made')));
    expect(instance.name).toBe('instance');
    expect(events.sort()).toEqual(['open instance', 'open made']);
    await app.close();
    await app.close();
    expect(events.sort()).toEqual(['close instance', 'close made', 'open instance', 'open made']);
    await expect(instance.exists('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
  });

  it("in whichever way it came: two forRoot calls, a factory's, a feature's own; a view leaves its storage to its owner", async () => {
    const events: string[] = [];
    const shared = new RecordingStorage('shared', events);
    @Injectable()
    class ClassStorage extends RecordingStorage {
      constructor(readonly registry: StorageRegistry) {
        super('class', events);
      }
    }
    const app = await compile(
      StorageModule.forRoot({ storages: { shared } }),
      StorageModule.forRoot({ default: false, storages: { twin: shared, class: { useClass: ClassStorage } } }),
      StorageModule.forRootAsync({
        names: ['async'],
        default: false,
        useFactory: () => ({ storages: { async: new RecordingStorage('async', events) } }),
      }),
      StorageModule.forFeature([
        { name: 'value', useValue: new RecordingStorage('value', events) },
        { name: 'factory', useFactory: () => new RecordingStorage('factory', events) },
        { name: 'view', prefix: 'view/' },
      ]),
    );
    await app.init();
    expect(app.get<ClassStorage>(getStorageToken('class')).registry).toBe(app.get(StorageRegistry));
    const names = ['async', 'class', 'factory', 'shared', 'value'];
    expect(events.splice(0).sort()).toEqual(names.map((name) => `open ${name}`));

    await app.get(StorageRegistry).get('view').close();
    await shared.put('still.txt', 'open');
    await app.close();
    expect(events.sort()).toEqual(names.map((name) => `close ${name}`));
  });

  it("and Nest's own hooks of a storage are called once too, also of the default one", async () => {
    const hooks: string[] = [];
    class Hooked extends RecordingStorage {
      onModuleInit(): void {
        hooks.push('init');
      }

      onApplicationShutdown(): void {
        hooks.push('shutdown');
      }
    }
    class HookedClass extends Hooked {
      constructor() {
        super('a', []);
      }
    }
    for (const definition of [
      new Hooked('a', []),
      { useFactory: () => new Hooked('a', []) },
      { useClass: HookedClass },
    ]) {
      const app = await compile(StorageModule.forRoot({ storages: { a: definition } }));
      await app.init();
      await app.close();
      expect(hooks.splice(0)).toEqual(['init', 'shutdown']);
    }
  });

  it('what was made of another one first', async () => {
    const events: string[] = [];
    class Slow extends RecordingStorage {
      override async close(): Promise<void> {
        await new Promise((resolve) => setImmediate(resolve));
        await super.close();
      }
    }
    const app = await compile(
      StorageModule.forRoot({
        default: 'base',
        storages: {
          base: new RecordingStorage('base', events),
          upper: { useFactory: (_: Storage) => new Slow('upper', events), inject: [getStorageToken('base')] },
          top: {
            useFactory: (..._: Storage[]) => new Slow('top', events),
            inject: [{ token: getStorageToken('upper'), optional: false }, Storage],
          },
        },
      }),
    );
    await app.init();
    await app.close();
    expect(events).toEqual(['open base', 'open upper', 'open top', 'close top', 'close upper', 'close base']);
  });

  it('and when one close fails the others are still closed, and the failure is reported', async () => {
    const events: string[] = [];
    const app = await compile(
      StorageModule.forRoot({
        default: 'bad',
        storages: { bad: new RecordingStorage('bad', events, 'close'), good: new RecordingStorage('good', events) },
      }),
    );
    await app.init();
    const logged = jest.spyOn(Logger, 'error').mockImplementation(() => undefined);
    // Nest 11 rejects with what a hook throws, Nest 12 logs it
    const rejected = await app.close().then(
      () => undefined,
      (error: unknown) => error,
    );
    const reports = [rejected, ...logged.mock.calls.map(([message]: unknown[]) => message)];
    logged.mockRestore();
    expect(events.slice(2)).toEqual(['close bad', 'close good']);
    expect(reports).toContainEqual(
      expect.objectContaining({
        message: 'The storage "bad" could not be closed: The close of bad failed on purpose.',
      }),
    );
  });

  it('after the last request has ended, and after the hooks of other modules', async () => {
    const events: string[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    @Controller()
    class FileController {
      constructor(@InjectStorage('files') readonly files: Storage) {}

      @Get()
      async read(): Promise<string> {
        events.push('request');
        await gate;
        const bytes = await this.files.getBytes('a.txt');
        events.push('read');
        return bytes.toString();
      }
    }
    @Injectable()
    class Writer {
      constructor(@InjectStorage('files') readonly files: Storage) {}

      async onApplicationShutdown(): Promise<void> {
        await this.files.put('last.txt', 'words');
        events.push('last words');
      }
    }
    @Module({ controllers: [FileController], providers: [Writer] })
    class DeepModule {}
    @Module({ imports: [DeepModule] })
    class FeatureModule {}
    const storage = new RecordingStorage('files', events);
    const app = (
      await compile(FeatureModule, StorageModule.forRoot({ storages: { files: storage } }))
    ).createNestApplication();
    await app.listen(0, '127.0.0.1');
    await storage.put('a.txt', 'whole');
    const server = app.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    const closing = new Promise<void>((resolve) => {
      jest.spyOn(server, 'close').mockImplementationOnce((callback) => {
        resolve();
        return server.close(callback);
      });
    });

    const answer = new Promise<string>((resolve, reject) => {
      request({ port, host: '127.0.0.1', agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve(text);
        });
      })
        .on('error', reject)
        .end();
    });
    await once(server, 'request');
    const closed = app.close();
    await closing;
    release();
    expect(await answer).toBe('whole');
    await closed;
    expect(events).toEqual(['open files', 'request', 'read', 'last words', 'close files']);
  });
});

describe('two applications in one process', () => {
  it('have registries and storages of their own', async () => {
    const root = StorageModule.forRoot({ storages: { a: { useFactory: () => new RecordingStorage('a', []) } } });
    const [one, two] = [await compile(root), await compile(root)];
    await Promise.all([one.init(), two.init()]);
    expect(one.get(Storage)).not.toBe(two.get(Storage));
    await one.get(Storage).put('a.txt', 'one');
    expect(await two.get(Storage).exists('a.txt')).toBe(false);
    await one.close();
    expect(await two.get(Storage).exists('a.txt')).toBe(false);
    await two.close();
  });

  it('share an instance until the last of them ends, and a later one opens it again', async () => {
    const events: string[] = [];
    const root = StorageModule.forRoot({ storages: { a: new RecordingStorage('a', events) } });
    const [one, two, unborn] = [await compile(root), await compile(root), await compile(root)];
    await one.init();
    await two.init();
    await one.close();
    await unborn.close();
    expect(await two.get(Storage).exists('a.txt')).toBe(false);
    await two.close();
    expect(events).toEqual(['open a', 'close a']);

    // as in a test file that makes the application anew for each test
    const third = await compile(root);
    await third.init();
    await third.close();
    expect(events).toEqual(['open a', 'close a', 'open a', 'close a']);
  });
});

it('serves request-scoped consumers without becoming request-scoped', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Consumer {
    constructor(readonly storage: Storage) {}
  }
  const app = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { a: { useFactory: () => new RecordingStorage('a', []) } } })],
    providers: [Consumer],
  }).compile();
  await app.init();
  const [first, second] = [await app.resolve(Consumer), await app.resolve(Consumer)];
  expect(first).not.toBe(second);
  expect(first.storage).toBe(second.storage);
  await app.close();
});
