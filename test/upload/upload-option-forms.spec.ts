import { PassThrough, Transform } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import {
  MemoryStorage,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageModule,
  type UploadDefaults,
  type UploadOptions,
} from 'nestjs-storages';
import { field, file, form, type Part } from './form.js';
import type { Answer } from './raw-client.js';
import { RoutesApplication } from './routes-application.js';

let progress: number[] = [];

/** A value for each option, in the company that it needs, and what it does. */
const OPTIONS = {
  storage: [
    { storage: 'other' },
    async () => {
      expect(await post(file('x'))).toMatchObject(stored({ storage: 'other' }));
    },
  ],
  key: [
    { key: (_file, context) => Promise.resolve(`of/${context.getHandler().name}`) },
    async () => {
      expect(await post(file('x'))).toMatchObject(stored({ key: 'of/handle' }));
    },
  ],
  limits: [
    { limits: { fileSize: 3 } },
    async () => {
      expect((await post(file('123'))).status).toBe(200);
      expect((await post(file('1234'))).status).toBe(413);
    },
  ],
  allowedTypes: [
    { allowedTypes: ['image/*'] },
    async () => {
      expect((await post(file('x'))).status).toBe(415);
    },
  ],
  metadata: [
    { metadata: (_file, context) => Promise.resolve({ handler: context.getHandler().name }) },
    async () => {
      expect(await post(file('x'))).toMatchObject(stored({ metadata: { handler: 'handle' } }));
    },
  ],
  checksum: [
    { checksum: 'crc32' },
    async () => {
      expect(await post(file('123456789'))).toMatchObject(stored({ checksum: { crc32: 'cbf43926' } }));
    },
  ],
  overwrite: [
    { overwrite: true, key: () => 'one' },
    async () => {
      expect((await post(file('1'))).status).toBe(200);
      expect((await post(file('2'))).status).toBe(200);
    },
  ],
  required: [
    { required: true },
    async () => {
      expect((await post(field('a', 'b'))).status).toBe(400);
    },
  ],
  filter: [
    { filter: (_file, context) => Promise.resolve(context.getHandler().name !== 'handle') },
    async () => {
      expect((await post(file('x'))).body).not.toHaveProperty('file');
    },
  ],
  transform: [
    { transform: (_file, context) => Promise.resolve(suffixed(context.getHandler().name)) },
    async () => {
      expect(await post(file('x'))).toMatchObject(stored({ size: 'x handle'.length }));
    },
  ],
  scan: [
    { scan: (_file, context) => Promise.resolve(context.getHandler().name !== 'handle') },
    async () => {
      expect((await post(file('x'))).status).toBe(422);
    },
  ],
  fields: [
    { fields: { file: { storage: 'other', limits: { minFileSize: 2 } } } },
    async () => {
      expect(await post(file('xx'))).toMatchObject(stored({ storage: 'other' }));
      expect((await post(file('x'))).status).toBe(400);
    },
  ],
  commit: [
    { commit: 'afterHandler' },
    async () => {
      expect(await post(file('x'))).toMatchObject({ status: 200, body: { committed: false } });
    },
  ],
  onProgress: [
    {
      onProgress: ({ transferred, total }, context) => {
        progress = [transferred, total ?? 0, context.getHandler().name.length];
      },
    },
    async () => {
      const { length } = form(file('x'));
      await post(file('x'));
      expect(progress).toEqual([length, length, 'handle'.length]);
    },
  ],
  idleTimeout: [
    { idleTimeout: 20 },
    async () => {
      const client = await application?.connect();
      client?.head({ 'Content-Length': '1000' });
      expect(await client?.answer()).toMatchObject({ status: 408, body: { code: 'IDLE_TIMEOUT' } });
      client?.destroy();
    },
  ],
  callbackTimeout: [
    { callbackTimeout: 20, filter: () => new Promise(() => undefined) },
    async () => {
      expect(await post(file('x'))).toMatchObject({ status: 504, body: { code: 'CALLBACK_TIMEOUT' } });
    },
  ],
} satisfies Record<keyof UploadOptions, readonly [options: UploadOptions, works: () => Promise<void>]>;

const stored = (upload: object): object => ({ status: 200, body: { file: upload } });

function suffixed(text: string): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      done(null, chunk);
    },
    flush(done) {
      done(null, ` ${text}`);
    },
  });
}

let application: RoutesApplication | undefined;

async function post(...parts: readonly Part[]): Promise<Answer> {
  if (application === undefined) throw new Error('There is no application.');
  return application.post('upload', ...parts);
}

interface Given {
  readonly options?: UploadOptions;
  readonly upload?: UploadDefaults;
  readonly asynchronously?: boolean;
}

async function start({ options = {}, upload = {}, asynchronously = false }: Given): Promise<void> {
  const storages = { main: new MemoryStorage(), other: new MemoryStorage() };
  application = await RoutesApplication.start({
    routes: { upload: StorageFileInterceptor('file', options) },
    handler: ({ file: upload, body }) => ({
      file: upload,
      body,
      committed: Object.hasOwn(Object(upload) as object, 'etag'),
    }),
    module: asynchronously
      ? StorageModule.forRootAsync({
          names: ['main', 'other'],
          default: 'main',
          useFactory: () => Promise.resolve({ storages, upload }),
        })
      : StorageModule.forRoot({ default: 'main', storages, upload }),
  });
}

/** Each option that may be one as a function of the request; what gives the fields may give functions again. */
function asked(options: UploadOptions, give: (value: unknown) => unknown = (value) => Promise.resolve(value)): object {
  const perRequest = [
    'storage',
    'limits',
    'allowedTypes',
    'checksum',
    'overwrite',
    'required',
    'fields',
    'commit',
    'idleTimeout',
    'callbackTimeout',
  ];
  const each = (values: object): object =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]: [string, unknown]) => {
        if (!perRequest.includes(name)) return [name, value];
        const given = name === 'fields' ? { file: each((value as Record<string, object>)['file'] ?? {}) } : value;
        return [name, (context: ExecutionContext) => give(context.getHandler().name === 'handle' && given)];
      }),
    );
  return each(options);
}

afterEach(async () => {
  await application?.close();
  application = undefined;
});

describe.each(Object.entries(OPTIONS) as [string, readonly [UploadOptions, () => Promise<void>]][])(
  'The option %s holds',
  (_name, [options, works]) => {
    it.each<[how: string, given: Given]>([
      ['in an interceptor', { options }],
      ['in an interceptor, as a function of the request', { options: asked(options, (value) => value) }],
      ['in an interceptor, as an async function of the request', { options: asked(options) }],
      ['as a default of forRoot', { upload: options }],
      ['as a default of forRoot, as a function of the request', { upload: asked(options) }],
      ['as a default of forRootAsync', { upload: options, asynchronously: true }],
      ['as a default of forRootAsync, as a function of the request', { upload: asked(options), asynchronously: true }],
    ])('%s', async (_how, given) => {
      await start(given);
      await works();
    });
  },
);

describe('Options', () => {
  it('go from the defaults over the interceptor to the fields of each, limits one by one', async () => {
    const layer = (name: string, limits: object): UploadOptions => ({ metadata: { layer: name }, limits });
    const storages = { main: new MemoryStorage() };
    application = await RoutesApplication.start({
      routes: {
        upload: StorageFileFieldsInterceptor([{ name: 'own' }, { name: 'field' }, { name: 'both' }], {
          ...layer('interceptor', { fileSize: 5 }),
          fields: { both: { metadata: { layer: 'its field' }, limits: { fileSize: 7 } } },
        }),
        defaults: StorageFileInterceptor('own'),
      },
      storages,
      upload: {
        ...layer('defaults', { fileSize: 4, minFileSize: 2 }),
        fields: {
          field: { metadata: { layer: 'field of the defaults' }, limits: { fileSize: 6 } },
          both: { metadata: { layer: 'never' }, limits: { fileSize: 1, minFileSize: 3 } },
          elsewhere: { required: true },
        },
      },
    });
    const sizes = async (path: string, name: string): Promise<unknown> => {
      const statuses: number[] = [];
      for (const size of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const { status } = await post2(path, file('x'.repeat(size), name));
        statuses.push(...(status === 200 ? [size] : []));
      }
      const { files, file: one } = application?.given.at(-1) ?? {};
      const upload = (one ?? (files as Record<string, unknown[]>)[name]?.[0]) as { metadata: object };
      return [statuses, upload.metadata];
    };
    const post2 = async (path: string, ...parts: readonly Part[]): Promise<{ status: number }> =>
      (await application?.post(path, ...parts)) ?? { status: 0 };
    expect(await sizes('defaults', 'own')).toEqual([[2, 3, 4], { layer: 'defaults' }]);
    expect(await sizes('upload', 'own')).toEqual([[2, 3, 4, 5], { layer: 'interceptor' }]);
    expect(await sizes('upload', 'field')).toEqual([[2, 3, 4, 5, 6], { layer: 'field of the defaults' }]);
    expect(await sizes('upload', 'both')).toEqual([[3, 4, 5, 6, 7], { layer: 'its field' }]);
  });

  it('that are undefined keep what was there, also as the answer of a function', async () => {
    await start({
      upload: { limits: { fileSize: 3 }, required: true, metadata: { a: 'b' } },
      options: { limits: () => Promise.resolve({ fileSize: undefined }), required: undefined, metadata: undefined },
    });
    expect((await post(file('1234'))).status).toBe(413);
    expect((await post(field('a', 'b'))).status).toBe(400);
    expect(await post(file('123'))).toMatchObject(stored({ metadata: { a: 'b' } }));
  });

  it('that throw refuse the request with what they throw', async () => {
    const { ForbiddenException } = await import('@nestjs/common');
    await start({
      options: {
        storage: () => Promise.reject(new ForbiddenException('not yours')),
        transform: () => new PassThrough(),
      },
    });
    expect(await post(file('x'))).toMatchObject({ status: 403, body: { message: 'not yours' } });
  });
});
