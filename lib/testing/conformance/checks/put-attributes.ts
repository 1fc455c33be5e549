import assert from 'node:assert/strict';
import { promise, type CheckBody } from '../check.js';
import { at, collect } from '../expect-stored.js';

const typeOf = (name: string, given: string | undefined, expected: string): CheckBody => ({
  name: `the content type of ${JSON.stringify(name)} ${given === undefined ? 'by default' : `given as ${given}`} is ${expected}`,
  run: async ({ storage, key }) => {
    await storage.put(key(name), 'a', given === undefined ? {} : { contentType: given });
    assert.equal((await storage.info(key(name))).contentType, expected);
  },
});

const metadataOf = (name: string, given: Record<string, string>, expected: Record<string, string>): CheckBody => ({
  name: `metadata keeps ${name}`,
  run: async ({ storage, key, prefix }) => {
    const file = await storage.put(key('a'), 'a', { metadata: given });
    assert.deepEqual({ ...file.metadata }, expected);
    const stream = await storage.get(key('a'));
    stream.destroy();
    for (const { metadata } of [await storage.info(key('a')), stream.file]) {
      assert.deepEqual({ ...metadata }, expected);
      assert.deepEqual(Object.keys(metadata).sort(), Object.keys(expected).sort());
    }
    // a listing may leave metadata out where the backend's own does, but never shows another
    const { metadata } = at(await collect(storage.list(prefix)), 0);
    if (Object.keys(metadata).length > 0) assert.deepEqual({ ...metadata }, expected);
  },
});

const own = (entries: readonly (readonly [string, string])[]): Record<string, string> => Object.fromEntries(entries);

export const putAttributes = promise(
  'put keeps content type, metadata and headers as they were given',
  typeOf('a.png', undefined, 'image/png'),
  typeOf('a.JPG', undefined, 'image/jpeg'),
  typeOf('archive.tar.gz', undefined, 'application/gzip'),
  typeOf('png', undefined, 'application/octet-stream'),
  typeOf('a.unknown-extension', undefined, 'application/octet-stream'),
  typeOf('.png', undefined, 'application/octet-stream'),
  typeOf('folder.png/plain', undefined, 'application/octet-stream'),
  typeOf('a.constructor', undefined, 'application/octet-stream'),
  typeOf('a.__proto__', undefined, 'application/octet-stream'),
  typeOf('b.png', 'text/plain; charset=utf-8', 'text/plain; charset=utf-8'),
  typeOf('c.png', 'multipart/mixed; boundary="a;b"', 'multipart/mixed; boundary="a;b"'),
  typeOf('d', 'Image/SVG+xml', 'Image/SVG+xml'),
  metadataOf('nothing as an empty record', {}, {}),
  metadataOf('names in lower case', { 'X-Owner': 'Ada', ALL: 'Caps' }, { 'x-owner': 'Ada', all: 'Caps' }),
  metadataOf('every character of a token in names', { "!#$%&'*+.^_`|~09az-": 'x' }, { "!#$%&'*+.^_`|~09az-": 'x' }),
  metadataOf(
    'names of Object.prototype as names',
    own([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['tostring', 't'],
    ]),
    own([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['tostring', 't'],
    ]),
  ),
  metadataOf('an empty value', { empty: '' }, { empty: '' }),
  metadataOf('spaces inside and at both ends of a value', { spaced: '  a  b  ' }, { spaced: '  a  b  ' }),
  metadataOf('percent signs and escapes as they are', { escaped: '%41 100% %zz +' }, { escaped: '%41 100% %zz +' }),
  metadataOf('quotes, commas, equal signs and semicolons', { quoted: '"a", b=c; d\\' }, { quoted: '"a", b=c; d\\' }),
  metadataOf('Unicode and emoji', { text: 'Grüße 你好 שלום 👩‍👩‍👧' }, { text: 'Grüße 你好 שלום 👩‍👩‍👧' }),
  metadataOf('composed and decomposed forms apart', { a: '\u00e9', b: 'e\u0301' }, { a: '\u00e9', b: 'e\u0301' }),
  metadataOf('many names', ...twice(own(Array.from({ length: 60 }, (_, i) => [`name-${i}`, `value ${i}`])))),
  {
    name: 'metadata may have as many bytes as the capabilities say, names and percent-encoded values together',
    run: async ({ storage, key, capabilities }) => {
      const most = 'x'.repeat(capabilities.maxMetadataBytes - 'name'.length);
      await storage.put(key('a'), 'a', { metadata: { name: most } });
      assert.deepEqual((await storage.info(key('a'))).metadata, { name: most });
    },
  },
  {
    name: 'metadata may be as long in Unicode as it is when percent-encoded',
    run: async ({ storage, key, capabilities }) => {
      // é is %C3%A9: six bytes
      const most = 'é'.repeat(Math.floor((capabilities.maxMetadataBytes - 1) / 6));
      await storage.put(key('a'), 'a', { metadata: { m: most } });
      assert.deepEqual((await storage.info(key('a'))).metadata, { m: most });
    },
  },
  (
    [
      ['cacheControl', 'public, max-age=31536000, immutable'],
      ['contentDisposition', `attachment; filename="a b.txt"; filename*=UTF-8''%e2%82%ac.txt`],
      ['contentEncoding', 'gzip'],
    ] as const
  ).map(([name, value]) => ({
    name: `${name} comes back as it was given, and is absent where it was not`,
    run: async ({ storage, key }) => {
      await storage.put(key('with'), 'a', { [name]: value });
      await storage.put(key('without'), 'a');
      assert.equal((await storage.info(key('with')))[name], value);
      assert.equal(Object.hasOwn(await storage.info(key('without')), name), false);
    },
  })),
  {
    name: 'contentEncoding changes no byte on the way in or out',
    run: async ({ storage, key }) => {
      await storage.put(key('a.gz'), 'not gzip at all', { contentEncoding: 'gzip' });
      assert.equal((await storage.getBytes(key('a.gz'))).toString(), 'not gzip at all');
    },
  },
);

function twice<T>(value: T): [T, T] {
  return [value, value];
}
