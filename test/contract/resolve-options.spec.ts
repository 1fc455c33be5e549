import { describe, expect, it } from '@jest/globals';
import { defineCapabilities, type Capabilities } from 'nestjs-storages';
import {
  checkOptions,
  checkText,
  MAX_URL_SECONDS,
  resolveCopyOptions,
  resolveDeleteOptions,
  resolveGetOptions,
  resolveListEntriesOptions,
  resolveListOptions,
  resolvePutOptions,
  resolveUploadUrlOptions,
  resolveUrlOptions,
} from '../../lib/contract/options/resolve-options.js';

const EVERYTHING = defineCapabilities({
  urls: 'signed',
  uploadUrls: true,
  createOnly: true,
  compareAndSwap: true,
  conditionalCopy: true,
});
const NOTHING = defineCapabilities();

/** Options as foreign code may give them, without the types. */
const put = (options: object, capabilities: Capabilities = EVERYTHING): unknown =>
  resolvePutOptions('a.txt', options, capabilities);
const get = (options: object): unknown => resolveGetOptions(options);

const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_OPERATION' });

describe('options of every method', () => {
  it.each([null, 'x', 7, true, [], () => undefined])('are an object, not %p', (options) => {
    expect(() => {
      checkOptions(options);
    }).toThrow(invalid);
  });

  it.each([
    { signal: {} },
    { signal: null },
    { signal: new AbortController() },
    { onProgress: 'x' },
    { onProgress: null },
  ])('refuse %p', (options) => {
    expect(() => {
      checkOptions(options);
    }).toThrow(invalid);
  });

  it('take a signal and a function', () => {
    checkOptions({});
    checkOptions({ signal: new AbortController().signal, onProgress: () => undefined });
    checkOptions({ signal: undefined, onProgress: undefined });
  });
});

describe('options of put and stage', () => {
  it('are complete: content type by the key, no metadata, nothing that was not given', () => {
    expect(put({})).toStrictEqual({ contentType: 'text/plain', metadata: {} });
    expect(resolvePutOptions('x', {}, NOTHING).contentType).toBe('application/octet-stream');
  });

  it.each(['a.constructor', 'a.__proto__', 'a.toString', 'png', '.png', 'a.', 'a.unknown-extension'])(
    'know no content type of %j',
    (key) => {
      expect(resolvePutOptions(key, {}, NOTHING).contentType).toBe('application/octet-stream');
    },
  );

  it.each([
    'image/png',
    'text/plain; charset=utf-8',
    'text/plain;charset=utf-8',
    'multipart/form-data; boundary="a b\\"c"',
    'application/vnd.api+json',
    'APPLICATION/JSON',
  ])('take the content type %j as it is', (contentType) => {
    expect(put({ contentType })).toMatchObject({ contentType });
  });

  it.each([
    '',
    'png',
    'image/',
    '/png',
    ' image/png',
    'image/png\r\nx: y',
    'image/png\n',
    'image/png; x',
    'image/p ng',
    'a/b; x="\n"',
    'ä/b',
    `a/${'b'.repeat(1024)}`,
    7,
    null,
    {},
  ])('refuse the content type %j', (contentType) => {
    expect(() => put({ contentType })).toThrow(invalid);
  });

  it.each(['cacheControl', 'contentDisposition', 'contentEncoding'])('take %s as one header line', (name) => {
    expect(put({ [name]: 'a; b="c d"' })).toMatchObject({ [name]: 'a; b="c d"' });
    for (const value of ['', ' a', 'a ', 'a\r\nb', 'a\nb', 'a\0', 'a\tb', 'ä', '\x7f', 'x'.repeat(1025), 7, null, []]) {
      expect(() => put({ [name]: value })).toThrow(expect.objectContaining({ message: expect.stringContaining(name) }));
    }
  });

  describe('metadata', () => {
    it.each([new Map([['a', 'b']]), new Headers({ a: 'b' }), ['a']])('refuses %p, which has no fields', (metadata) => {
      expect(() => put({ metadata })).toThrow(invalid);
    });

    it('has lower-cased names, and is frozen', () => {
      const { metadata } = resolvePutOptions('a', { metadata: { Owner: 'Ada', 'X-Y': '' } }, NOTHING);
      expect(metadata).toStrictEqual({ owner: 'Ada', 'x-y': '' });
      expect(Object.isFrozen(metadata)).toBe(true);
    });

    it('keeps names that mean something to JavaScript', () => {
      const given = JSON.parse('{"__proto__":"1","constructor":"2","toString":"3","hasOwnProperty":"4"}') as Record<
        string,
        string
      >;
      const { metadata } = resolvePutOptions('a', { metadata: given }, NOTHING);
      expect(Object.entries(metadata)).toEqual([
        ['__proto__', '1'],
        ['constructor', '2'],
        ['tostring', '3'],
        ['hasownproperty', '4'],
      ]);
      expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    });

    it.each(['', ' ', '  both ends  ', 'grüße', '😀', 'a"b', 'a=b;c', '%41', '\u2028'])(
      'takes the value %j as it is',
      (value) => {
        expect(resolvePutOptions('a', { metadata: { x: value } }, NOTHING).metadata).toEqual({ x: value });
      },
    );

    it.each([
      ['a name given twice', { a: '1', A: '2' }],
      ['an empty name', { '': '1' }],
      ['a space in a name', { 'a b': '1' }],
      ['a colon in a name', { 'a:b': '1' }],
      ['a line break in a name', { 'a\n': '1' }],
      ['a name that is not ASCII', { ä: '1' }],
      ['a Kelvin sign, which lower-cases to k', { '\u212a': '1' }],
      ['a line break in a value', { a: '1\r\n2' }],
      ['a NUL in a value', { a: '\0' }],
      ['a lone surrogate in a value', { a: '\ud800' }],
      ['a number for a value', { a: 1 }],
      ['null for a value', { a: null }],
      ['undefined for a value', { a: undefined }],
      ['an array', ['a']],
      ['null', null],
      ['a string', 'a'],
    ])('refuses %s', (_, metadata) => {
      expect(() => put({ metadata })).toThrow(invalid);
    });

    it('has at most 2,048 bytes, names and percent-encoded values together', () => {
      const metadata = (value: string): unknown => put({ metadata: { ab: value } });
      metadata('x'.repeat(2046));
      expect(() => metadata('x'.repeat(2047))).toThrow(invalid);
      metadata('é'.repeat(341)); // 6 bytes each
      expect(() => metadata('é'.repeat(342))).toThrow(invalid);
      expect(() => put({ metadata: { a: 'x'.repeat(1024), b: 'x'.repeat(1023) } })).toThrow(invalid);
    });
  });

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53, '7', null, 7n])('refuse the size %p', (size) => {
    expect(() => put({ size })).toThrow(invalid);
  });

  it('refuse a size above what the storage takes', () => {
    expect(put({ size: 0 })).toMatchObject({ size: 0 });
    expect(put({ size: 10 }, defineCapabilities({ maxSize: 10 }))).toMatchObject({ size: 10 });
    expect(() => put({ size: 11 }, defineCapabilities({ maxSize: 10 }))).toThrow(
      expect.objectContaining({ code: 'FILE_TOO_LARGE' }),
    );
  });

  it.each([
    ['none', {}],
    ['another algorithm', { sha1: '0'.repeat(40) }],
    ['a name of Object.prototype', { constructor: '00' }],
    ['upper case', { crc32: 'ABCDEF01' }],
    ['another length', { sha256: '00' }],
    ['base64', { md5: 'XrY7u+Ae7tCTyyK7j1rNww==' }],
    ['a number', { crc32: 12345678 }],
    ['null', null],
    ['a string', 'abcdef01'],
  ])('refuse a checksum: %s', (_, checksum) => {
    expect(() => put({ checksum })).toThrow(invalid);
  });

  it('take all three checksums', () => {
    const checksum = { sha256: '0'.repeat(64), md5: 'f'.repeat(32), crc32: '01234567' };
    expect(put({ checksum })).toMatchObject({ checksum });
    expect(put({ checksum: { ...checksum, md5: undefined } })).toMatchObject({
      checksum: { sha256: checksum.sha256, crc32: checksum.crc32 },
    });
  });

  it.each([
    { ifNoneMatch: 'etag' },
    { ifNoneMatch: '' },
    { ifNoneMatch: true },
    { ifMatch: '' },
    { ifMatch: '*' },
    { ifMatch: '"etag"' },
    { ifMatch: 7 },
    { ifMatch: 'a\n' },
    { ifMatch: 'a', ifNoneMatch: '*' },
  ])('refuse the condition %j', (options) => {
    expect(() => put(options)).toThrow(invalid);
  });

  it('refuse conditions that the storage does not declare', () => {
    expect(() => put({ ifNoneMatch: '*' }, NOTHING)).toThrow(unsupported);
    expect(() => put({ ifMatch: 'a' }, NOTHING)).toThrow(unsupported);
    expect(put({ ifNoneMatch: '*' })).toMatchObject({ ifNoneMatch: '*' });
    expect(put({ ifMatch: 'a' })).toMatchObject({ ifMatch: 'a' });
  });
});

describe('options of get', () => {
  it.each([{ offset: 0 }, { offset: 3, length: 1 }, { suffix: 1 }, { offset: Number.MAX_SAFE_INTEGER }])(
    'take the range %j',
    (range) => {
      expect(get({ range })).toStrictEqual({ range });
    },
  );

  it.each([
    {},
    { offset: -1 },
    { offset: 0.5 },
    { offset: Number.NaN },
    { offset: 2 ** 53 },
    { offset: Infinity },
    { offset: '0' },
    { offset: 0, length: 0 },
    { offset: 0, length: -1 },
    { offset: 0, length: 1.5 },
    { offset: 0, length: 2 ** 53 },
    { length: 1 },
    { suffix: 0 },
    { suffix: -1 },
    { suffix: 2 ** 53 },
    { suffix: 1, offset: 0 },
    { suffix: 1, length: 1 },
    null,
    'bytes=0-1',
    7,
  ])('refuse the range %j', (range) => {
    expect(() => get({ range })).toThrow(invalid);
  });

  it.each([{ ifMatch: '' }, { ifMatch: '*' }, { ifMatch: '"a"' }, { ifNoneMatch: '*' }, { ifNoneMatch: 7 }])(
    'refuse the condition %j',
    (options) => {
      expect(() => get(options)).toThrow(invalid);
    },
  );
});

describe('options of delete, copy and move', () => {
  it('refuse conditions that the storage does not declare', () => {
    expect(() => resolveDeleteOptions({ ifMatch: 'a' }, NOTHING)).toThrow(unsupported);
    expect(() => resolveCopyOptions({ ifNoneMatch: '*' }, NOTHING)).toThrow(unsupported);
    expect(resolveDeleteOptions({ ifMatch: 'a' }, EVERYTHING)).toStrictEqual({ force: false, ifMatch: 'a' });
    expect(resolveCopyOptions({ ifNoneMatch: '*' }, EVERYTHING)).toStrictEqual({ ifNoneMatch: '*' });
  });

  it('refuse what cannot be meant', () => {
    expect(() => resolveDeleteOptions({ ifMatch: '*' }, EVERYTHING)).toThrow(invalid);
    // foreign code's: as a condition it would hold
    const text: object = { force: 'false' };
    expect(() => resolveDeleteOptions(text, EVERYTHING)).toThrow(invalid);
    expect(() => resolveCopyOptions({ ifNoneMatch: 'a' as '*' }, EVERYTHING)).toThrow(invalid);
  });
});

describe('options of list and listEntries', () => {
  it.each([-1, 0.5, Number.NaN, Infinity, '1', null])('refuse the limit %p', (limit) => {
    expect(() => resolveListOptions({ limit: limit as number })).toThrow(invalid);
  });

  it.each(['\ud800', 7, null])('refuse %p for a text', (text) => {
    expect(() => {
      checkText('prefix', text);
    }).toThrow(invalid);
    expect(() => resolveListOptions({ startAfter: text as string })).toThrow(invalid);
    if (text !== null) expect(() => resolveListEntriesOptions({ delimiter: text as string })).toThrow(invalid);
  });

  it('take any well-formed text, which need be no key', () => {
    expect(resolveListOptions({ limit: 0, startAfter: '/../\0' })).toStrictEqual({ limit: 0, startAfter: '/../\0' });
    expect(resolveListEntriesOptions({})).toStrictEqual({ delimiter: '/' });
    expect(resolveListEntriesOptions({ delimiter: '--' })).toStrictEqual({ delimiter: '--' });
    expect(() => resolveListEntriesOptions({ delimiter: '' })).toThrow(invalid);
  });
});

describe('options of url and uploadUrl', () => {
  const expiresIn = (value: unknown): unknown =>
    resolveUploadUrlOptions({ expiresIn: value as number }, EVERYTHING).expiresIn;

  it.each([
    [1, 1],
    [1.9, 1],
    [MAX_URL_SECONDS, 604_800],
    ['1s', 1],
    ['15m', 900],
    ['1.5h', 5400],
    ['7d', 604_800],
  ])('read the duration %j as %j seconds', (value, seconds) => {
    expect(expiresIn(value)).toBe(seconds);
  });

  it.each([
    0,
    -1,
    0.5,
    Number.NaN,
    Infinity,
    604_801,
    '0s',
    '8d',
    '15',
    '15 m',
    'm',
    '-1m',
    '1w',
    '1e3s',
    '',
    null,
    undefined,
    {},
  ])('refuse the duration %p', (value) => {
    expect(() => expiresIn(value)).toThrow(invalid);
  });

  it.each([{ expiresIn: 60 }, { disposition: 'attachment' }, { contentType: 'text/plain' }])(
    'refuse %j where URLs are not signed',
    (options) => {
      expect(() => resolveUrlOptions(options, NOTHING)).toThrow(unsupported);
      expect(() => resolveUrlOptions(options, defineCapabilities({ urls: 'public' }))).toThrow(unsupported);
      expect(resolveUrlOptions(options, EVERYTHING)).toStrictEqual(options);
    },
  );

  it('refuse an upload URL that the storage does not declare', () => {
    expect(() => resolveUploadUrlOptions({ expiresIn: 60 }, NOTHING)).toThrow(unsupported);
    expect(() => resolveUploadUrlOptions({ expiresIn: 60, maxSize: -1 }, EVERYTHING)).toThrow(invalid);
  });

  it('say how a storage without signed URLs comes to them', () => {
    const remedy = expect.objectContaining({ message: expect.stringContaining("'serve' in StorageModule.forRoot()") });
    expect(() => resolveUploadUrlOptions({ expiresIn: '1h' }, NOTHING)).toThrow(remedy);
    expect(() => resolveUrlOptions({ expiresIn: '1h' }, NOTHING)).toThrow(remedy);
  });
});
