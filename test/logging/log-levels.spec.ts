import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { ConnectionError, FileExistsError, FileNotFoundError, MemoryStorage, StorageError } from 'nestjs-storages';
import { failureFields, failureText } from '../../lib/logging/failure-fields.js';
import { StorageLogger } from '../../lib/logging/index.js';

const KEY = 'users/ada@example.org/Brief an "Bob".pdf';
const LIB = new URL('../../lib/', import.meta.url);

/** Every line of the library that a user may have in the logs. */
const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && existsSync(new URL(path, LIB)))
  .map((path) => ({ path, text: readFileSync(new URL(path, LIB), 'utf8') }));

describe('lib', () => {
  it('logs by StorageLogger only, which keeps keys at debug', () => {
    const other = sources
      .filter(({ path }) => path !== 'logging/storage-logger.ts')
      .filter(({ text }) =>
        /^(?! *(?:\*|\/\/)).*\b(?:Logger\b(?=.*'@nestjs\/common')|new Logger\(|console\.\w+\(|process\.emitWarning\()/m.test(
          text,
        ),
      )
      .map(({ path }) => path);
    // a command in a message, for the reader to run
    expect(other).toEqual(['signing/signing-secrets.ts']);
  });

  it('has no value in a message: what changes stands in the fields, which are known not to be keys', () => {
    const calls = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\blogger\.(error|warn|log)\(\s*([^\s,)][^\n]*)/g)].map(([, level, first]) => ({
        path,
        level,
        first,
      })),
    );
    expect(calls.length).toBeGreaterThanOrEqual(8);
    const computed = calls.filter(({ path, first }) => !first?.startsWith("'") && path !== 'logging/storage-logger.ts');
    expect(computed).toEqual([]);
    // `log` is for what any reader may see: a fixed message, and the fields of a file that is told by its number
    const plain = calls.filter(({ level, path }) => level === 'log' && path !== 'logging/storage-logger.ts');
    expect(plain.map(({ first }) => first)).toEqual([
      "'The storage is up again.', { storage: name });",
      "'A file of a failed upload has been removed after all.', fieldsOf(removal.file));",
    ]);
  });
});

describe('A failure in the logs', () => {
  let written: string[];
  let storage: MemoryStorage;

  beforeEach(() => {
    written = [];
    const take = (chunk: string | Uint8Array): boolean => written.push(String(chunk)) > 0;
    jest.spyOn(process.stdout, 'write').mockImplementation(take);
    jest.spyOn(process.stderr, 'write').mockImplementation(take);
    storage = new MemoryStorage({ name: 'files' });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    Logger.overrideLogger(false);
    await storage.close();
  });

  const failures: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['a missing file', () => storage.getBytes(KEY)],
    ['a file that exists', () => storage.put(KEY, 'x').then(() => storage.put(KEY, 'x', { ifNoneMatch: '*' }))],
    ['a refused key', () => storage.put(`${KEY}\u0000`, 'x')],
    ['a missing source of a copy', () => storage.copy(KEY, `${KEY}.copy`)],
    ['a broken source', () => storage.put(KEY, Readable.from(broken()))],
    [
      'a backend that quotes two keys',
      () => Promise.reject(new StorageError(`${JSON.stringify(KEY)} is at ${KEY}.`, { key: KEY })),
    ],
    [
      'a cause with a path',
      () => Promise.reject(new ConnectionError('gone', { cause: new Error(`open '/srv/${KEY}'`) })),
    ],
    ['a foreign error', () => Promise.reject(new TypeError(`no ${KEY}`))],
    ['an error within', () => Promise.reject(new FileExistsError('b', { cause: new FileNotFoundError(KEY) }))],
  ];
  const errorOf = (fail: () => Promise<unknown>): Promise<unknown> =>
    fail().then(
      () => {
        throw new Error('It did not fail.');
      },
      (error: unknown) => error,
    );

  async function* broken(): AsyncGenerator<Buffer> {
    await Promise.resolve();
    yield Buffer.from('x');
    throw new Error(`cannot read ${KEY}`);
  }

  it.each(failures)('of %s has no key at warn and above, and at debug', async (_title, fail) => {
    const failure = await errorOf(fail);
    for (const json of [false, true]) {
      written = [];
      Logger.overrideLogger(new ConsoleLogger({ json, colors: false, logLevels: ['error', 'warn', 'log'] }));
      const logger = new StorageLogger('Test');
      logger.error('It failed.', { failure, key: KEY });
      logger.warn('It failed.', { failure, key: KEY });
      const text = written.join('').replaceAll('\\', '');
      expect(text).toContain('It failed.');
      expect(text).not.toMatch(/ada|Bob|srv/);
      Logger.overrideLogger(new ConsoleLogger({ json, colors: false, logLevels: ['debug'] }));
      logger.error('It failed.', { failure, key: KEY });
      expect(written.join('')).toContain('ada@example.org');
    }
  });

  it('is an object in JSON logs, by its code, and one line of text in others', async () => {
    const failure = await errorOf(() => storage.getBytes(KEY));
    const logger = new StorageLogger('StorageUpload');
    Logger.overrideLogger(new ConsoleLogger({ json: true, colors: false, logLevels: ['error'] }));
    logger.error('A file stays.', { fields: { removal: 7, storage: 'files' }, failure });
    const entry = JSON.parse(written.join('')) as Record<string, unknown>;
    expect(entry).toMatchObject({
      level: 'error',
      context: 'StorageUpload',
      message: {
        message: 'A file stays.',
        removal: 7,
        storage: 'files',
        operation: 'getBytes',
        code: 'FILE_NOT_FOUND',
        error: 'FileNotFoundError',
        reason: 'There is no file (key) in this storage.',
      },
    });
    expect(entry.stack).toMatch(/^ +at /);
    written = [];
    Logger.overrideLogger(new ConsoleLogger({ colors: false, logLevels: ['log'] }));
    logger.log('A file has been removed.', { removal: 7 });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/ LOG \[StorageUpload\] A file has been removed. \(removal: 7\)\n$/);
  });

  it('keeps what a configuration has to change', () => {
    const fields = failureFields(new StorageError('x', {}));
    expect(fields.code).toBe('STORAGE_FAILURE');
    const { reason } = failureFields(
      Object.assign(new StorageError('Set "bucket".'), { code: 'INVALID_CONFIGURATION' }),
    );
    expect(reason).toBe('Set "bucket".');
  });

  it('has no secret at any level', () => {
    const request = { headers: { authorization: 'Bearer s3cr3t' } };
    const cause = Object.assign(
      new Error('GET https://user:s3cr3t@host/a?X-Amz-Signature=s3cr3t&x=1 Authorization: AWS4 s3cr3t'),
      { request, config: request },
    );
    const failure = new ConnectionError('PUT /a?signature=s3cr3t failed', { cause });
    const told = inspect([failureFields(failure), failureText(failure)], { depth: 9 });
    expect(told).not.toContain('s3cr3t');
    expect(told).toContain('&x=1');
  });
});
