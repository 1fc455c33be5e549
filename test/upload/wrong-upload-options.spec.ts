import { afterEach, describe, expect, it } from '@jest/globals';
import type { NestInterceptor, Type } from '@nestjs/common';
import {
  AnyStorageFilesInterceptor,
  StorageBodyInterceptor,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type UploadOptions,
} from 'nestjs-storages';
import { file } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

/** What a JavaScript program, or a configuration file, may give. */
const WRONG: Readonly<Record<keyof UploadOptions, readonly unknown[]>> = {
  storage: ['', 5, null, {}],
  key: ['a', null, {}],
  limits: [5, null, [], { fileSize: -1 }, { fileSize: '5' }, { fileSize: 1.5 }, { fileSize: NaN }, { size: 1 }],
  allowedTypes: ['', [], [5], 'png', 'image', '*/*', '.unknown', null, ['image/*', '']],
  metadata: ['a', 5, null, [], { a: 1 }, { a: undefined }],
  checksum: [
    'sha1',
    null,
    {},
    { algorithm: 'sha1' },
    { algorithm: 'md5', header: '' },
    { algorithm: 'md5', header: 5 },
    { algorithm: 'md5', field: 5 },
    { algorithm: 'md5', header: 'a', field: 'b' },
    { algorithm: 'md5', header: 'a', required: 'yes' },
    { algorithm: 'md5', required: true },
    { algorithm: 'md5', headers: 'a' },
  ],
  overwrite: ['yes', 1, null],
  required: ['yes', 1, null],
  filter: [true, 'a', null],
  transform: [{}, 'gzip', null],
  scan: [true, {}, null],
  fields: [5, null, [], 'file', { file: null }, { file: { colour: 'red' } }, { file: { commit: 'afterHandler' } }],
  commit: ['later', true, null],
  onProgress: [{}, null, 'a'],
  idleTimeout: [0, -1, NaN, '5', null],
  callbackTimeout: [0, -1, NaN, '5', null],
};

const PER_REQUEST = [
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
const OF_FIELDS = PER_REQUEST.filter((name) => !['fields', 'commit', 'idleTimeout'].includes(name));

const cases = Object.entries(WRONG).flatMap(([name, values]) =>
  values.map((value) => [name, JSON.stringify(value), value] as const),
);

let application: RoutesApplication | undefined;
let storage: WatchedStorage;

afterEach(async () => {
  await application?.close();
  application = undefined;
});

async function start(upload: Type<NestInterceptor>, defaults?: object): Promise<RoutesApplication> {
  storage = new WatchedStorage();
  application = await RoutesApplication.start({
    routes: { upload },
    storages: { main: storage },
    ...(defaults === undefined ? undefined : { upload: defaults }),
  });
  return application;
}

/** Sends a file to what the application has made a mistake in; the answer has a field where it is asked about a file. */
async function expectFailure(
  upload: Type<NestInterceptor>,
  named: RegExp,
  defaults?: object,
  about?: { readonly field: string },
): Promise<void> {
  const app = await start(upload, defaults);
  const { body } = await app.post('upload', file('hello'));
  expect(body).toEqual({
    statusCode: 500,
    message: 'The server is not set up to take this upload.',
    error: 'Internal Server Error',
    code: 'STORAGE_FAILURE',
    ...about,
  });
  expect(app.errors.join('\n')).toMatch(named);
  await storage.untilNothing();
}

describe('A wrong option', () => {
  it.each(cases)('%s: %s is refused at the decorator, by its name', (name, _text, value) => {
    expect(() => StorageFileInterceptor('file', { [name]: value })).toThrow(
      new RegExp(`${name}\\b.*StorageFileInterceptor\\("file"\\)|StorageFileInterceptor\\("file"\\).*${name}`),
    );
  });

  it.each(cases)('%s: %s is refused at the start where it is a default, by its name', async (name, _text, value) => {
    await expect(start(StorageFileInterceptor('file'), { [name]: value })).rejects.toThrow(
      new RegExp(`${name}\\b.*upload defaults|upload defaults.*${name}`),
    );
  });

  const asked = cases.filter(([name]) => PER_REQUEST.includes(name));

  it.each([
    ...asked,
    ...PER_REQUEST.map((name) => [name, 'another function', () => ({})] as const),
    ...PER_REQUEST.filter((name) => name !== 'storage').map((name) => [name, 'the name of a storage', 'main'] as const),
  ])('%s: %s as the answer of a function is a 500 whose log names it', async (name, _text, value) => {
    await expectFailure(
      StorageFileInterceptor('file', { [name]: () => Promise.resolve(value) }),
      new RegExp(`${name}\\b`),
    );
  });

  it.each(OF_FIELDS)('%s of a field as the answer of a function is a 500 whose log names both', async (name) => {
    const fields = { file: { [name]: () => null } };
    await expectFailure(StorageFileInterceptor('file'), new RegExp(`${name}\\b.*fields\\.file`), { fields });
  });

  it.each(OF_FIELDS)('%s of a field that a function has given, as the answer of another, too', async (name) => {
    const fields = (): object => ({ file: { [name]: () => null } });
    await expectFailure(StorageFileInterceptor('file'), new RegExp(`${name}\\b.*fields\\.file`), { fields });
  });

  it('a field that a function gives and the interceptor does not take is a 500 whose log names both', async () => {
    const options: UploadOptions = { fields: () => ({ other: { required: true } }) };
    await expectFailure(StorageFileInterceptor('file', options), /fields.*"other".*"file"/);
  });

  it.each<[name: string, options: object]>([
    ['key', { key: () => undefined }],
    ['key', { key: () => 5 }],
    ['metadata', { metadata: () => undefined }],
    ['metadata', { metadata: () => ({ a: 5 }) }],
    ['filter', { filter: () => undefined }],
    ['filter', { filter: () => 'yes' }],
    ['transform', { transform: () => null }],
    ['transform', { transform: () => 'gzip' }],
    ['transform', { transform: () => ({}) }],
    ['transform', { transform: () => ({ stream: 5 }) }],
    ['checksum.field', { checksum: { algorithm: 'md5', field: () => undefined } }],
  ])('%s: what its function gives is a 500 whose log names it: %p', async (name, options) => {
    // the checksums are compared when all files are there
    const about = name === 'checksum.field' ? undefined : { field: 'file' };
    await expectFailure(StorageFileInterceptor('file', options), new RegExp(name), undefined, about);
  });

  it('storage that a function gives and nobody has is a 500 whose log lists the known ones', async () => {
    await expectFailure(StorageFileInterceptor('file', { storage: () => 'nowhere' }), /nowhere.*main/s);
  });
});

describe('At the start is refused', () => {
  const fields = { other: { required: true } };

  it.each<[what: string, interceptor: Type<NestInterceptor>, message: RegExp]>([
    [
      'a field that the interceptor does not take',
      StorageFileInterceptor('file', { fields }),
      /fields.*"other".*"file"/,
    ],
    [
      'one beside an option that asks the request',
      StorageFilesInterceptor('file', 2, { fields, limits: () => ({}) }),
      /fields.*"other".*"file"/,
    ],
    [
      'one beside a storage that asks the request',
      StorageFileFieldsInterceptor([{ name: 'a' }, { name: 'b' }], { fields, storage: () => 'main' }),
      /fields.*"other".*"a", "b"/,
    ],
    ['a field of a raw body', StorageBodyInterceptor({ fields }), /fields.*"other".*"body"/],
    [
      'a checksum in a field of a raw body, which has none',
      StorageBodyInterceptor({ checksum: { algorithm: 'md5', field: 'sum' } }),
      /checksum.*StorageBodyInterceptor.*header/s,
    ],
  ])('%s', async (_what, interceptor, message) => {
    await expect(start(interceptor)).rejects.toThrow(message);
  });

  it.each<[what: string, options: UploadOptions]>([
    ['nothing else', {}],
    ['limits that ask the request', { limits: () => ({}) }],
    ['a storage that asks the request', { storage: () => 'main' }],
  ])('a storage of the defaults that nobody has, beside %s', async (_what, options) => {
    const interceptor = StorageFileInterceptor('file', options);
    await expect(start(interceptor, { storage: 'nowhere' })).rejects.toThrow(/nowhere/);
    await expect(start(interceptor, { fields: { file: { storage: 'nowhere' } } })).rejects.toThrow(/nowhere/);
  });

  it.each([0, -1, 1.5, NaN, '2', null, {}])('a count of %j', (count) => {
    const maxCount = count as unknown as number;
    expect(() => StorageFilesInterceptor('a', maxCount)).toThrow(/maxCount of StorageFilesInterceptor\("a"\)/);
    expect(() => StorageFileFieldsInterceptor([{ name: 'a', maxCount }])).toThrow(/maxCount of "a"/);
  });

  it.each([undefined, null, '', 5])('a field that is %j', (name) => {
    const field = name as unknown as string;
    expect(() => StorageFileInterceptor(field)).toThrow(/StorageFileInterceptor.*name/);
    expect(() => StorageFilesInterceptor(field)).toThrow(/StorageFilesInterceptor.*name/);
    expect(() => StorageFileFieldsInterceptor([{ name: field }])).toThrow(/StorageFileFieldsInterceptor.*name/);
  });

  it.each([[undefined], [[]], [[null]], [[{ name: 'a' }, { name: 'a' }]]])('fields that are %j', (fields) => {
    expect(() => StorageFileFieldsInterceptor(fields as never)).toThrow(/StorageFileFieldsInterceptor/);
  });
});

describe('An interceptor of any field', () => {
  it('holds each to what the defaults say of it', async () => {
    const app = await start(AnyStorageFilesInterceptor(), { fields: { avatar: { limits: { fileSize: 3 } } } });
    expect((await app.post('upload', file('1234', 'avatar'))).status).toBe(413);
    expect((await app.post('upload', file('1234', 'other'))).status).toBe(200);
  });
});
