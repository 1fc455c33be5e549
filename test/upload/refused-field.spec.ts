import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  QuotaExceededError,
  StorageBodyInterceptor,
  StorageFileFieldsInterceptor,
  UploadException,
  type UploadOptions,
} from 'nestjs-storages';
import { field, file, type Part } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

let application: RoutesApplication | undefined;
let storage: WatchedStorage;
/** What an exception filter has got. */
let caught: UploadException | undefined;

@Catch(UploadException)
class UploadFilter extends BaseExceptionFilter implements ExceptionFilter {
  override catch(exception: UploadException, host: ArgumentsHost): void {
    caught = exception;
    super.catch(exception, host);
  }
}

const ROUTES = {
  any: (options: UploadOptions) => AnyStorageFilesInterceptor(options),
  named: (options: UploadOptions) => StorageFileFieldsInterceptor([{ name: 'a', maxCount: 1 }, { name: 'b' }], options),
  raw: (options: UploadOptions) => StorageBodyInterceptor(options),
};

async function start(path: keyof typeof ROUTES, options: UploadOptions): Promise<RoutesApplication> {
  storage = new WatchedStorage();
  application = await RoutesApplication.start({
    routes: { [path]: ROUTES[path](options) },
    storages: { main: storage },
    prepare: (app) => {
      app.useGlobalFilters(new UploadFilter(app.getHttpAdapter()));
    },
  });
  return application;
}

afterEach(async () => {
  await application?.close();
  application = undefined;
  caught = undefined;
});

interface Refusal {
  readonly options?: UploadOptions;
  readonly path?: 'named';
  readonly parts: readonly Part[];
  readonly code: string;
  readonly field?: string;
  readonly originalname?: string;
}

const good = file('x', 'a', '1.bin');
const bad = file('12345', 'b', 'photo of me.png');
const ofBad = { field: 'b', originalname: 'photo of me.png' };
const checksum = { algorithm: 'md5', field: 'sum', required: true } as const;
const never = new Promise<never>(() => undefined);

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a file that is too large': {
    options: { limits: { fileSize: 4 } },
    parts: [good, bad],
    code: 'LIMIT_FILE_SIZE',
    ...ofBad,
  },
  'a file that is too small': {
    options: { limits: { minFileSize: 2 } },
    parts: [bad, good],
    code: 'FILE_TOO_SMALL',
    field: 'a',
    originalname: '1.bin',
  },
  'the file that is too much': {
    options: { limits: { totalSize: 5 } },
    parts: [good, bad],
    code: 'LIMIT_TOTAL_SIZE',
    ...ofBad,
  },
  'one file too many': { options: { limits: { files: 1 } }, parts: [good, bad], code: 'LIMIT_FILE_COUNT', ...ofBad },
  'one file too many of a field': {
    path: 'named',
    parts: [good, file('y', 'a', '2.bin')],
    code: 'LIMIT_UNEXPECTED_FILE',
    field: 'a',
    originalname: '2.bin',
  },
  'a file of a field that takes none': {
    path: 'named',
    parts: [good, file('y', 'c', '2.bin')],
    code: 'LIMIT_UNEXPECTED_FILE',
    field: 'c',
    originalname: '2.bin',
  },
  'a file of the wrong type': {
    options: { fields: { b: { allowedTypes: 'image/*' } } },
    parts: [good, bad],
    code: 'UNSUPPORTED_FILE_TYPE',
    ...ofBad,
  },
  'a file that its scanner refuses': {
    options: { scan: ({ fieldname }) => fieldname === 'a' },
    parts: [good, bad],
    code: 'FILE_REJECTED',
    ...ofBad,
  },
  'a file without its checksum': {
    options: { fields: { b: { checksum } } },
    parts: [good, bad],
    code: 'CHECKSUM_MISSING',
    ...ofBad,
  },
  'a checksum that is none': {
    options: { fields: { b: { checksum } } },
    parts: [good, bad, field('sum', '?')],
    code: 'CHECKSUM_INVALID',
    ...ofBad,
  },
  'another checksum': {
    options: { fields: { b: { checksum } } },
    parts: [good, bad, field('sum', '0'.repeat(32))],
    code: 'CHECKSUM_MISMATCH',
    ...ofBad,
  },
  'a callback that is late': {
    options: { fields: { b: { callbackTimeout: 20, scan: () => never } } },
    parts: [good, bad],
    code: 'CALLBACK_TIMEOUT',
    ...ofBad,
  },
  'a file that is missing': {
    path: 'named',
    options: { fields: { b: { required: true } } },
    parts: [good],
    code: 'MISSING_FILE',
    field: 'b',
  },
  'a key that is there': { options: { key: () => 'same' }, parts: [good, bad], code: 'FILE_EXISTS', ...ofBad },
  'a key that is none': {
    options: { fields: { b: { key: () => '' } } },
    parts: [good, bad],
    code: 'INVALID_KEY',
    ...ofBad,
  },
  'a text field too many': {
    options: { limits: { fields: 1 } },
    parts: [field('t', '1'), field('u', '2')],
    code: 'LIMIT_FIELD_COUNT',
    field: 'u',
  },
  'a name that is too long': {
    options: { limits: { fieldNameSize: 3 } },
    parts: [field('long', '1')],
    code: 'LIMIT_FIELD_KEY',
    field: 'long',
  },
  'a value that is too long': {
    options: { limits: { fieldSize: 3 } },
    parts: [field('t', '1234')],
    code: 'LIMIT_FIELD_VALUE',
    field: 't',
  },
  'values that are too long together': {
    options: { limits: { fieldsSize: 3 } },
    parts: [field('t', '12'), field('u', '34')],
    code: 'LIMIT_FIELDS_SIZE',
    field: 'u',
  },
  'a name that is nested too deep': {
    options: { limits: { fieldNestingDepth: 1 } },
    parts: [field('a[b][c]', '1')],
    code: 'LIMIT_FIELD_NESTING',
    field: 'a[b][c]',
  },
  'an index that is too large': {
    options: { limits: { fieldArrayIndexLimit: 1 } },
    parts: [field('a[2]', '1')],
    code: 'LIMIT_FIELD_ARRAY_INDEX',
    field: 'a[2]',
  },
  'a name that cannot be used': { parts: [field('__proto__', '1')], code: 'INVALID_FIELD_NAME', field: '__proto__' },
  'too many parts': { options: { limits: { parts: 1 } }, parts: [field('t', '1'), good], code: 'LIMIT_PART_COUNT' },
};

describe('A refusal says its field and its file, the answer its field alone', () => {
  it.each(Object.entries(REFUSALS))('%s', async (_what, refusal) => {
    const { options = {}, path = 'any', parts, code, ...about } = refusal;
    const app = await start(path, options);
    const { body } = await app.post(path, ...parts);
    expect(body).toMatchObject({ code });
    expect((body as { field?: string }).field).toBe(about.field);
    expect(body).not.toHaveProperty('originalname');
    expect({ field: caught?.field, originalname: caught?.originalname }).toEqual({
      field: about.field,
      originalname: about.originalname,
    });
    await storage.untilNothing();
  });

  it.each(['stage', 'commit'] as const)('a storage that fails at the %s', async (step) => {
    const app = await start('any', {});
    storage.failAt(step, new QuotaExceededError('The disk is full.'));
    expect(await app.post('any', file('x', 'only', 'one.bin'))).toMatchObject({
      status: 507,
      body: { code: 'STORAGE_FULL', field: 'only' },
    });
    expect(caught).toMatchObject({ field: 'only', originalname: 'one.bin' });
    expect(caught?.cause).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await storage.untilNothing();
  });

  it('a raw body, whose field is body', async () => {
    const app = await start('raw', { limits: { fileSize: 3 } });
    const headers = { 'Content-Type': 'image/png', 'Content-Disposition': 'attachment; filename="a.png"' };
    expect(await app.send('raw', '1234', headers, 'PUT')).toMatchObject({ status: 413, body: { field: 'body' } });
    expect(caught).toMatchObject({ field: 'body', originalname: 'a.png' });
  });
});
