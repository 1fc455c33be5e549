import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  RequestMethod,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { tap, type Observable } from 'rxjs';
import {
  InjectStorage,
  MemoryStorage,
  StorageModule,
  StorageRegistry,
  type ServeOptions,
  type Storage,
  type StorageModuleAsyncOptions,
} from 'nestjs-storages';
import { PUBLIC, SECRET, SigningApplication } from './signing-application.js';

const start = (setup: Partial<Parameters<typeof SigningApplication.start>[0]> = {}): Promise<SigningApplication> =>
  SigningApplication.start({ storages: { files: new MemoryStorage() }, ...setup });

/** A URL to read and one to write do what they say. */
async function expectWorking(app: SigningApplication, storage: Storage, begin: string): Promise<void> {
  const upload = await storage.uploadUrl('a b/ü.txt', { expiresIn: 60 });
  if (upload.method !== 'PUT') throw new Error('not a PUT');
  expect(upload.url.startsWith(begin)).toBe(true);
  const answer = await app.send(upload.url, { method: 'PUT', headers: upload.headers, body: 'signed' });
  expect(answer.status).toBe(200);
  const url = await storage.url('a b/ü.txt', { expiresIn: 60 });
  expect(url.startsWith(begin)).toBe(true);
  expect((await app.send(url)).body.toString()).toBe('signed');
}

describe('Signed URLs', () => {
  it('have the global prefix, whether it is set before or after a module asked for one', async () => {
    await using app = await start({ configure: (nest) => nest.setGlobalPrefix('/api/v1/') });
    await expectWorking(app, app.storage('files'), `${PUBLIC}/api/v1/storage/files/`);
  });

  it('have no global prefix where their routes are excluded from it', async () => {
    await using app = await start({
      configure: (nest) =>
        nest.setGlobalPrefix('api', { exclude: [{ path: 'storage/{*rest}', method: RequestMethod.ALL }, 'health'] }),
    });
    await expectWorking(app, app.storage('files'), `${PUBLIC}/storage/files/`);
  });

  it.each([VersioningType.URI, VersioningType.HEADER, VersioningType.MEDIA_TYPE])(
    'have no version, however the application has some (%s)',
    async (type) => {
      await using app = await start({
        configure: (nest) =>
          nest.enableVersioning(
            type === VersioningType.HEADER
              ? { type, header: 'x-version' }
              : type === VersioningType.MEDIA_TYPE
                ? { type, key: 'v=' }
                : { type: VersioningType.URI, defaultVersion: '1' },
          ),
      });
      await expectWorking(app, app.storage('files'), `${PUBLIC}/storage/files/`);
    },
  );

  it('begin with what a proxy puts before the paths of the application', async () => {
    await using app = await start({ serve: { baseUrl: `${PUBLIC}/behind/a/proxy/` } });
    const url = await app.storage('files').url('a.txt');
    expect(url.startsWith(`${PUBLIC}/behind/a/proxy/storage/files/a.txt?`)).toBe(true);
    // the proxy takes it away
    await app.storage('files').put('a.txt', 'proxied');
    expect((await app.send(url.replace('/behind/a/proxy', ''))).body.toString()).toBe('proxied');
  });

  it('are asked for by the global guards, and pass through global interceptors', async () => {
    const seen: string[] = [];
    @Injectable()
    class Closed implements CanActivate {
      static open = false;
      canActivate(): boolean {
        if (!Closed.open) throw new ForbiddenException('closed');
        return true;
      }
    }
    class Watch implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(tap({ complete: () => seen.push(context.getHandler().name) }));
      }
    }
    await using app = await start({
      providers: [{ provide: APP_GUARD, useClass: Closed }],
      configure: (nest) => nest.useGlobalInterceptors(new Watch()),
    });
    const url = await app.storage('files').url('a.txt');
    expect((await app.send(url)).json['message']).toBe('closed');
    Closed.open = true;
    await expectWorking(app, app.storage('files'), `${PUBLIC}/storage/files/`);
    expect(seen).toEqual(['put', 'get']);
  });

  it('leave the other routes of the application as they are, those below the same path too', async () => {
    @Controller('storage')
    class Other {
      @Get('status/now')
      status(): object {
        return { open: true };
      }
    }
    await using app = await start({ controllers: [Other] });
    expect((await app.send(`${PUBLIC}/storage/status/now`)).json).toEqual({ open: true });
  });

  it('of a view are of its keys, and lead to the files that it shows', async () => {
    const uploads = new MemoryStorage();
    await using app = await start({
      storages: { uploads },
      imports: [StorageModule.forFeature([{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }])],
    });
    const avatars = app.storage('avatars');
    expect(avatars.capabilities).toMatchObject({ urls: 'signed', uploadUrls: true });
    await expectWorking(app, avatars, `${PUBLIC}/storage/`);
    expect(await uploads.exists('avatars/a b/ü.txt')).toBe(true);
  });

  it('are signed for the storages that are named, and for no other', async () => {
    await using app = await start({
      storages: { files: new MemoryStorage(), inner: new MemoryStorage() },
      serve: { storages: ['files'] },
    });
    await expectWorking(app, app.storage('files'), `${PUBLIC}/storage/files/`);
    expect(await app.storage('inner').url('a')).toBe('memory:///a');
    await expect(app.storage('inner').url('a', { expiresIn: 60 })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      message: expect.stringContaining("'serve'") as unknown,
    });
  });

  it('are given by a storage that a test has put in the place of another', async () => {
    const substitute = new MemoryStorage();
    const serve: ServeOptions = { baseUrl: PUBLIC, secrets: [SECRET] };
    const module = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ storages: { files: new MemoryStorage() }, serve })],
    })
      .overrideProvider('Storage:files')
      .useValue(substitute)
      .compile();
    const app = module.createNestApplication();
    await app.init();
    expect(await app.get(StorageRegistry).get('files').url('a')).toContain(`${PUBLIC}/storage/files/a?`);
    await app.close();
    expect(substitute.capabilities.urls).toBe('none');
    await substitute.open();
    expect(await substitute.url('a')).toBe('memory:///a');
  });

  it('are to be had in an application without HTTP', async () => {
    const module = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({
          storages: { files: new MemoryStorage() },
          serve: { baseUrl: PUBLIC, secrets: [SECRET] },
        }),
      ],
    }).compile();
    await module.init();
    expect(await module.get(StorageRegistry).get('files').url('a')).toContain(`${PUBLIC}/storage/files/a?`);
    await module.close();
  });
});

describe('serve in forRootAsync()', () => {
  const made = (serve: object | undefined, route?: StorageModuleAsyncOptions['serve']): DynamicModule =>
    StorageModule.forRootAsync({
      names: ['files'],
      ...(route === undefined ? undefined : { serve: route }),
      useFactory: () =>
        Promise.resolve({
          storages: { files: new MemoryStorage() },
          ...(serve as { serve: ServeOptions } | undefined),
        }),
    });

  it('takes where the routes lie beside the names, and the rest from the factory', async () => {
    const imports = [made({ serve: { baseUrl: PUBLIC, secrets: [SECRET] } }, { path: 'links' })];
    await using app = await start({ storages: { main: new MemoryStorage() }, imports, serve: false });
    await expectWorking(app, app.storage('files'), `${PUBLIC}/links/files/`);
  });

  it.each([
    [
      'the factory alone says it',
      made({ serve: { baseUrl: PUBLIC, secrets: [SECRET] } }),
      /must be known before it runs/,
    ],
    ['the factory does not say it', made(undefined, {}), /its factory gives none/],
  ])('fails the start where %s', async (_, module, message) => {
    await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(message);
  });
});

describe('A wrong setting of serve fails the start, and shows no secret', () => {
  const compile = async (serve: object, imports: DynamicModule[] = []): Promise<unknown> => {
    const storages = { files: new MemoryStorage() };
    const module = await Test.createTestingModule({
      imports: [
        StorageModule.forRoot({ storages, serve: { baseUrl: PUBLIC, secrets: [SECRET], ...serve } }),
        ...imports,
      ],
    }).compile();
    return module.init();
  };

  @Injectable()
  class NoHook {}
  @Module({ providers: [NoHook] })
  class NoHookModule {}

  it.each<[object, RegExp]>([
    [{ baseUrl: undefined }, /serve\.baseUrl must be the address/],
    [{ baseUrl: '/relative' }, /serve\.baseUrl/],
    [{ baseUrl: 'ftp://a' }, /serve\.baseUrl/],
    [{ baseUrl: 'https://a/?b' }, /serve\.baseUrl/],
    [{ baseUrl: 'https://user:hidden@a/' }, /serve\.baseUrl/],
    [{ baseUrl: 'https://:hidden@a/' }, /serve\.baseUrl/],
    [{ baseUrl: 'https://a/?' }, /serve\.baseUrl/],
    [{ baseUrl: 'https://a/#' }, /serve\.baseUrl/],
    [{ secrets: [] }, /serve\.secrets/],
    [{ secrets: 'hidden hidden hidden hidden hidden hidden' }, /serve\.secrets must be an array/],
    [{ secrets: [SECRET, 'hidden'] }, /serve\.secrets\[1\]/],
    [{ path: '' }, /serve\.path/],
    [{ path: 'a/../b' }, /serve\.path/],
    [{ path: ':id' }, /serve\.path/],
    [{ storages: 'files' }, /serve\.storages/],
    [{ storages: ['fiels'] }, /no storage "fiels".*Known names: "files"/],
    [{ usedUrls: { storage: 'marks' } }, /no storage "marks".*Known names: "files"/],
    [{ usedUrls: { storage: 'files', prefix: '../a' } }, /serve\.usedUrls\.prefix/],
    [{ usedUrls: 'files' }, /serve\.usedUrls must be/],
    [{ onUploaded: NoHook }, /serve\.onUploaded: .*NoHook/],
  ])('%j', async (serve, message) => {
    const failed = await compile(serve).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(failed?.message).toMatch(message);
    expect(failed?.message).not.toMatch(/hidden|thirty-two/);
    expect(failed).toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });

  it('that names a provider without the method', async () => {
    await expect(compile({ onUploaded: NoHook }, [{ module: NoHookModule }])).rejects.toThrow(
      'serve.onUploaded: the provider NoHook has no method onUploaded()',
    );
  });

  it('that is given twice', async () => {
    const second = StorageModule.forRoot({
      storages: { other: new MemoryStorage() },
      default: false,
      serve: { baseUrl: PUBLIC, secrets: [SECRET] },
    });
    await expect(compile({}, [second])).rejects.toThrow("'serve' is given in two registrations");
  });
});

describe('The secrets', () => {
  it('are shown by no object of the application', async () => {
    await using app = await start();
    const { inspect } = await import('node:util');
    const { SignedRoutes } = await import('../../lib/signing/signed-routes.js');
    const shown = inspect([app.app.get(SignedRoutes), app.storage('files')], { depth: 20, showHidden: true });
    expect(shown).not.toContain(SECRET);
  });
});

/** Injected by name, as an application does. */
@Injectable()
class Service {
  constructor(@InjectStorage('files') readonly files: Storage) {}
}

it('An injected storage signs from the start of the application on', async () => {
  await using app = await start({ providers: [Service] });
  expect(app.app.get(Service).files).toBe(app.storage('files'));
  await expectWorking(app, app.app.get(Service).files, PUBLIC);
});
