import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, RequestMethod } from '@nestjs/common';
import { MemoryStorage, type SignedUploadHook, type Storage } from 'nestjs-storages';
import { PUBLIC, SigningApplication, type SignedAnswer } from './signing-application.js';

const start = (setup: Partial<Parameters<typeof SigningApplication.start>[0]> = {}): Promise<SigningApplication> =>
  SigningApplication.start({ storages: { files: new MemoryStorage() }, ...setup });

const put = async (
  app: SigningApplication,
  storage: Storage,
  key: string,
  headers: Record<string, string> = {},
): Promise<SignedAnswer> => {
  const upload = await storage.uploadUrl(key, { expiresIn: 60 });
  if (upload.method !== 'PUT') throw new Error('not a PUT');
  return app.send(upload.url, { method: 'PUT', headers: { ...upload.headers, ...headers }, body: 'new' });
};

describe('A storage that serve.storages names', () => {
  it('is signed for by that name, whichever of its names came first', async () => {
    const files = new MemoryStorage();
    await using app = await start({ storages: { first: files, second: files }, serve: { storages: ['second'] } });
    await files.put('a', 'b');
    const url = await files.url('a', { expiresIn: 60 });
    expect(url).toContain(`${PUBLIC}/storage/second/a?`);
    expect((await app.send(url)).status).toBe(200);
  });

  it('must be one that can be told what signs for it', async () => {
    const inner = new MemoryStorage();
    const foreign = new Proxy(inner, {
      has: (target, name) => typeof name === 'string' && name in target,
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await expect(start({ storages: { foreign }, serve: { storages: ['foreign'] } })).rejects.toThrow(
      'serve.storages: the storage "foreign" gives its URLs itself',
    );
  });
});

it('Signed URLs have the global prefix for the methods that are not excluded from it', async () => {
  await using app = await start({
    configure: (nest) =>
      nest.setGlobalPrefix('api', { exclude: [{ path: 'storage/{*rest}', method: RequestMethod.GET }] }),
  });
  const files = app.storage('files');
  expect((await put(app, files, 'a')).status).toBe(200);
  const url = await files.url('a');
  expect(url).toContain(`${PUBLIC}/storage/files/a?`);
  expect((await app.send(url)).body.toString()).toBe('new');
});

describe('A condition that a client sends with an upload by URL', () => {
  it('holds where it creates only', async () => {
    await using app = await start();
    const files = app.storage('files');
    await files.put('a', 'old');
    expect((await put(app, files, 'a', { 'if-none-match': '*' })).status).toBe(409);
    expect((await files.getBytes('a')).toString()).toBe('old');
    expect((await put(app, files, 'b', { 'if-none-match': '*' })).status).toBe(200);
  });

  it.each<Record<string, string>>([{ 'if-match': '"x"' }, { 'if-match': '*' }, { 'if-none-match': '"x"' }])(
    'is refused where it cannot be held: %j',
    async (headers) => {
      await using app = await start();
      expect(await put(app, app.storage('files'), 'a', headers)).toMatchObject({ status: 400 });
      expect(await app.storage('files').exists('a')).toBe(false);
    },
  );
});

describe('A hook that never settles', () => {
  @Injectable()
  class Never implements SignedUploadHook {
    onUploaded(): Promise<void> {
      return new Promise(() => undefined);
    }
  }
  @Module({ providers: [Never] })
  class NeverModule {}

  it.each([{ ifNoneMatch: '*' }, {}] as const)('is not waited for longer than a callback: %j', async (options) => {
    await using app = await start({
      upload: { callbackTimeout: 200 },
      imports: [NeverModule],
      serve: { onUploaded: Never },
    });
    const files = app.storage('files');
    const upload = await files.uploadUrl('a', { expiresIn: 60, ...options });
    if (upload.method !== 'PUT') throw new Error('not a PUT');
    const answer = await app.send(upload.url, { method: 'PUT', headers: upload.headers, body: 'x' });
    expect(answer).toMatchObject({ status: 504, json: { code: 'CALLBACK_TIMEOUT' } });
    expect(await files.exists('a')).toBe(false);
  });
});
