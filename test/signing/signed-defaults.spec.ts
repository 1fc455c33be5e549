import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ConflictException, Injectable, Module } from '@nestjs/common';
import { MemoryStorage, type SignedUploadHook, type Storage, type UploadDefaults } from 'nestjs-storages';
import { SigningApplication, type SignedAnswer } from './signing-application.js';

@Injectable()
class Refusing implements SignedUploadHook {
  onUploaded(): void {
    throw new ConflictException('refused');
  }
}

@Module({ providers: [Refusing], exports: [Refusing] })
class RefusingModule {}

const start = (upload: UploadDefaults, hook = false): Promise<SigningApplication> =>
  SigningApplication.start({
    storages: { files: new MemoryStorage(), others: new MemoryStorage() },
    upload,
    ...(hook ? { serve: { onUploaded: Refusing }, imports: [RefusingModule] } : undefined),
  });

const put = async (
  app: SigningApplication,
  body: string | Readable,
  options: Parameters<Storage['uploadUrl']>[1] = { expiresIn: 60 },
): Promise<SignedAnswer> => {
  const upload = await app.storage('files').uploadUrl('a.txt', options);
  if (upload.method !== 'PUT') throw new Error('not a PUT');
  return app.send(upload.url, { method: 'PUT', headers: upload.headers, body });
};

const post = async (
  app: SigningApplication,
  bytes: string,
  options: Partial<Parameters<Storage['uploadUrl']>[1]> = {},
): Promise<Response> => {
  const upload = await app.storage('files').uploadUrl('a.txt', { expiresIn: 60, method: 'POST', ...options });
  const body = new FormData();
  body.append('file', new Blob([bytes]), 'b.txt');
  return app.fetch(upload.url, { method: 'POST', body });
};

describe('What a URL binds stands over the upload defaults of the application,', () => {
  it.each(['file', 'body'])('those of a field called %s too', async (field) => {
    const ofField = {
      storage: 'others',
      key: () => 'elsewhere.txt',
      overwrite: true,
      required: false,
      limits: { fileSize: 1000, minFileSize: 0 },
    };
    await using app = await start({ fields: { [field]: ofField } });
    const files = app.storage('files');
    const send = async (bytes: string, options: object): Promise<number> =>
      field === 'file'
        ? (await post(app, bytes, options)).status
        : (await put(app, bytes, { expiresIn: 60, ...options })).status;
    expect(await send('123456', { maxSize: 5 })).toBe(413);
    expect(await send('1234', { size: 5 })).toBe(400);
    expect(await send('12345', { ifNoneMatch: '*' })).toBe(201);
    expect(await send('again', { ifNoneMatch: '*' })).toBe(409);
    expect((await files.getBytes('a.txt')).toString()).toBe('12345');
    expect(await app.storage('others').exists('elsewhere.txt')).toBe(false);
  });

  it('the moment of the commit among them: a hook that refuses leaves what was there', async () => {
    await using app = await start({ commit: 'beforeHandler' }, true);
    await app.storage('files').put('a.txt', 'old');
    expect((await put(app, 'new')).status).toBe(409);
    expect((await app.storage('files').getBytes('a.txt')).toString()).toBe('old');
  });

  it('which are not even asked where they would say who uploads to where', async () => {
    const unknown = (): never => {
      throw new Error('nobody is logged in');
    };
    await using app = await start({ storage: unknown, key: unknown, overwrite: unknown, fields: unknown });
    expect((await put(app, 'new')).status).toBe(200);
    expect((await post(app, 'newer')).status).toBe(201);
    expect((await app.storage('files').getBytes('a.txt')).toString()).toBe('newer');
  });

  it.each([
    { algorithm: 'sha256', field: 'sha256', required: true },
    { algorithm: 'sha256', header: 'x-sha256', required: true },
  ] as const)('a checksum that clients of other routes send among them: %j', async (checksum) => {
    await using app = await start({ checksum });
    expect((await put(app, 'new')).status).toBe(200);
    expect((await post(app, 'newer')).status).toBe(201);
  });
});
