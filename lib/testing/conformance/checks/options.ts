import assert from 'node:assert/strict';
import type { PutOptions, Storage } from '../../../contract/index.js';
import { promise, type CheckBody } from '../check.js';
import { collect, expectContent, expectMissing } from '../expect-stored.js';
import { PushedSource } from '../sources/pushed-source.js';

/** Values that a caller without types may give. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the place where it stands says which type it is not
const wrong = <T>(value: unknown): T => value as T;

const PUT_OPTIONS: readonly (readonly [string, unknown])[] = [
  ['options of null', null],
  ['options that are an array', []],
  ['options that are a string', 'image/png'],
  ['a size below zero', { size: -1 }],
  ['a size of NaN', { size: Number.NaN }],
  ['a size with a fraction', { size: 1.5 }],
  ['a size of 2^53', { size: 2 ** 53 }],
  ['a size that is a string', { size: '1' }],
  ['a content type without a slash', { contentType: 'plain' }],
  ['an empty content type', { contentType: '' }],
  ['a content type with a line break', { contentType: 'text/plain\r\nX: y' }],
  ['a content type that is no string', { contentType: 1 }],
  ['cacheControl with a line break', { cacheControl: 'no-store\r\nX: y' }],
  ['cacheControl with a line feed alone', { cacheControl: 'no-store\nX: y' }],
  ['an empty cacheControl', { cacheControl: '' }],
  ['contentDisposition with a line break', { contentDisposition: 'attachment\r\nX: y' }],
  ['contentDisposition beyond ASCII', { contentDisposition: 'attachment; filename="ü"' }],
  ['contentEncoding with a line break', { contentEncoding: 'gzip\r\nX: y' }],
  ['contentEncoding with NUL', { contentEncoding: 'gzip\0' }],
  ['metadata that is a string', { metadata: 'a=1' }],
  ['metadata that is an array', { metadata: ['a'] }],
  ['metadata that is null', { metadata: null }],
  ['metadata with a number', { metadata: { a: 1 } }],
  ['metadata with undefined', { metadata: { a: undefined } }],
  ['metadata with a line break in a value', { metadata: { a: 'b\r\nX: y' } }],
  ['metadata with NUL in a value', { metadata: { a: 'b\0' } }],
  ['metadata with a lone surrogate in a value', { metadata: { a: '\ud83d' } }],
  ['metadata with a space in a name', { metadata: { 'a b': '1' } }],
  ['metadata with a colon in a name', { metadata: { 'a:b': '1' } }],
  ['metadata with a line break in a name', { metadata: { 'a\r\nX': '1' } }],
  ['metadata with a name beyond ASCII', { metadata: { ä: '1' } }],
  ['metadata with an empty name', { metadata: { '': '1' } }],
  ['metadata whose names are equal in lower case', { metadata: { Owner: 'a', owner: 'b' } }],
  ['a checksum that is a string', { checksum: 'abc' }],
  ['an empty checksum', { checksum: {} }],
  ['a checksum of an unknown kind', { checksum: { sha1: 'a'.repeat(40) } }],
  ['a checksum that is too short', { checksum: { sha256: 'abc' } }],
  ['a checksum in upper case', { checksum: { crc32: 'ABCDEF01' } }],
  ['a checksum in base64', { checksum: { md5: '1B2M2Y8AsgTpgAmY7PhCfg==aaaaaaaa' } }],
  ['ifNoneMatch with an etag', { ifNoneMatch: 'etag' }],
  ['ifMatch with quotes', { ifMatch: '"etag"' }],
  ['ifMatch with nothing', { ifMatch: '' }],
  ['ifMatch with a star', { ifMatch: '*' }],
  ['ifMatch that is no string', { ifMatch: 1 }],
  ['ifMatch and ifNoneMatch together', { ifMatch: 'etag', ifNoneMatch: '*' }],
  ['a signal that is none', { signal: {} }],
  ['onProgress that is no function', { onProgress: 'call me' }],
];

const puts: readonly CheckBody[] = PUT_OPTIONS.map(([what, options]) => ({
  name: `put refuses ${what}`,
  run: async (context) => {
    const { storage, key } = context;
    const source = new PushedSource();
    await context.rejects(storage.put(key('a'), source, wrong<PutOptions>(options)), 'INVALID_ARGUMENT', {
      operation: 'put',
      key: key('a'),
    });
    assert.deepEqual([source.destroyed, source.asked], [true, false], 'destroyed, and unread');
    await expectMissing(storage, key('a'));
  },
}));

const RANGES: readonly (readonly [string, unknown])[] = [
  ['an offset below zero', { offset: -1 }],
  ['an offset of NaN', { offset: Number.NaN }],
  ['an offset with a fraction', { offset: 0.5 }],
  ['an offset of 2^53', { offset: 2 ** 53 }],
  ['an offset that is a string', { offset: '1' }],
  ['an offset of Infinity', { offset: Infinity }],
  ['a length of zero', { offset: 0, length: 0 }],
  ['a length below zero', { offset: 0, length: -1 }],
  ['a length of NaN', { offset: 0, length: Number.NaN }],
  ['a length with a fraction', { offset: 0, length: 1.5 }],
  ['a length of 2^53', { offset: 0, length: 2 ** 53 }],
  ['a length without an offset', { length: 5 }],
  ['a suffix of zero', { suffix: 0 }],
  ['a suffix below zero', { suffix: -1 }],
  ['a suffix with a fraction', { suffix: 1.5 }],
  ['a suffix of NaN', { suffix: Number.NaN }],
  ['a suffix and an offset', { suffix: 1, offset: 0 }],
  ['nothing at all', {}],
  ['a string', 'bytes=0-1'],
];

const gets: readonly CheckBody[] = RANGES.map(([what, range]) => ({
  name: `get and getBytes refuse a range with ${what}`,
  run: async (context) => {
    const { storage, key } = context;
    await storage.put(key('a'), '0123456789');
    for (const method of ['get', 'getBytes'] as const) {
      const call = storage[method](key('a'), wrong<Parameters<Storage['get']>[1]>({ range }));
      await context.rejects(call, 'INVALID_ARGUMENT', { operation: method, key: key('a') });
    }
  },
}));

const LISTS: readonly (readonly [string, unknown])[] = [
  ['a limit below zero', { limit: -1 }],
  ['a limit of NaN', { limit: Number.NaN }],
  ['a limit with a fraction', { limit: 1.5 }],
  ['a limit that is a string', { limit: '1' }],
  ['a startAfter that is no string', { startAfter: 1 }],
  ['a startAfter with a lone surrogate', { startAfter: '\ud83d' }],
  ['options of null', null],
];

const lists: readonly CheckBody[] = LISTS.map(([what, options]) => ({
  name: `list and listEntries refuse ${what}`,
  run: async (context) => {
    const { storage, prefix } = context;
    for (const method of ['list', 'listEntries'] as const) {
      const listing = storage[method](prefix, wrong<Parameters<Storage['list']>[1]>(options));
      await context.rejects(collect<unknown>(listing), 'INVALID_ARGUMENT', { operation: method });
    }
  },
}));

const prefixes: readonly CheckBody[] = (
  [
    ['a lone surrogate', '\ud83d'],
    ['null', null],
    ['a number', 1],
  ] as const
).map(([what, prefix]) => ({
  name: `list, listEntries and deletePrefix refuse ${what} as a prefix`,
  run: async (context) => {
    const { storage } = context;
    await context.rejects(collect(storage.list(wrong(prefix))), 'INVALID_ARGUMENT', { operation: 'list' });
    await context.rejects(collect(storage.listEntries(wrong(prefix))), 'INVALID_ARGUMENT', {
      operation: 'listEntries',
    });
    await context.rejects(storage.deletePrefix(wrong(prefix)), 'INVALID_ARGUMENT', { operation: 'deletePrefix' });
  },
}));

export const options = promise(
  'Options that cannot be meant are refused with an InvalidArgumentError before any I/O',
  puts,
  {
    name: 'put refuses metadata of one byte more than the capabilities say',
    run: async (context) => {
      const { storage, key, capabilities } = context;
      const most = 'x'.repeat(capabilities.maxMetadataBytes - 'name'.length);
      await context.rejects(storage.put(key('a'), 'a', { metadata: { name: `${most}x` } }), 'INVALID_ARGUMENT');
      const encoded = 'é'.repeat(Math.floor(capabilities.maxMetadataBytes / 6) + 1);
      await context.rejects(storage.put(key('a'), 'a', { metadata: { m: encoded } }), 'INVALID_ARGUMENT');
      await expectMissing(storage, key('a'));
    },
  },
  {
    name: 'stage refuses what put refuses',
    run: async (context) => {
      const { storage, key } = context;
      for (const [what, given] of PUT_OPTIONS) {
        const call = storage.stage(key('a'), 'a', wrong<PutOptions>(given));
        const error = await context.rejects(call, 'INVALID_ARGUMENT', { operation: 'stage' });
        assert.ok(error.message !== '', what);
      }
      await context.expectNoLeftovers();
    },
  },
  gets,
  lists,
  prefixes,
  {
    name: 'listEntries refuses an empty delimiter',
    run: async (context) => {
      const entries = context.storage.listEntries(context.prefix, { delimiter: '' });
      await context.rejects(collect(entries), 'INVALID_ARGUMENT', { operation: 'listEntries' });
    },
  },
  ...['ifMatch', 'ifNoneMatch'].map((name) => ({
    name: `get refuses ${name} that is no etag`,
    run: async (context: Parameters<CheckBody['run']>[0]) => {
      await context.storage.put(context.key('a'), 'a');
      for (const value of ['', '"quoted"', '*', 1, null]) {
        const call = context.storage.get(context.key('a'), wrong({ [name]: value }));
        await context.rejects(call, 'INVALID_ARGUMENT', { operation: 'get' });
      }
    },
  })),
  {
    name: 'delete refuses options and an etag that cannot be meant, and deletes nothing',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      for (const given of [null, [], { ifMatch: '' }, { ifMatch: '"a"' }, { signal: 1 }]) {
        await context.rejects(storage.delete(key('a'), wrong(given)), 'INVALID_ARGUMENT', { operation: 'delete' });
      }
      await expectContent(storage, key('a'), 'a');
    },
  },
  {
    name: 'copy and move refuse an ifNoneMatch that is no star, and change nothing',
    run: async (context) => {
      const { storage, key } = context;
      await storage.put(key('a'), 'a');
      for (const method of ['copy', 'move'] as const) {
        const call = storage[method](key('a'), key('b'), wrong({ ifNoneMatch: 'etag' }));
        await context.rejects(call, 'INVALID_ARGUMENT', { operation: method });
      }
      await expectContent(storage, key('a'), 'a');
      await expectMissing(storage, key('b'));
    },
  },
  {
    name: 'url refuses a life that is zero, negative or longer than 7 days',
    run: async (context) => {
      for (const expiresIn of [0, -1, 0.5, 604_801, Number.NaN, Infinity, '0s', '8d', 'soon', '']) {
        const call = context.storage.url(context.key('a'), wrong({ expiresIn }));
        await context.rejects(call, 'INVALID_ARGUMENT', { operation: 'url' });
      }
    },
  },
);
