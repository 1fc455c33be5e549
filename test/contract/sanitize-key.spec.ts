import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sanitizeKey } from 'nestjs-storages';

describe('sanitizeKey', () => {
  it.each([
    ['a', 'a'],
    ['a/b', 'a/b'],
    ['/a', 'a'],
    ['///a', 'a'],
    ['a/', 'a'],
    ['a//b', 'a/b'],
    ['a/./b', 'a/b'],
    ['./a', 'a'],
    ['a/.', 'a'],
    ['a/../b', 'b'],
    ['a/b/..', 'a'],
    ['../a', 'a'],
    ['../../etc/passwd', 'etc/passwd'],
    ['a/../../b', 'b'],
    ['a\\b', 'a/b'],
    ['\\a\\..\\b', 'b'],
    ['..\\..\\etc\\passwd', 'etc/passwd'],
    ['C:\\file', 'C:/file'],
    ['a/b//c/./d/../e', 'a/b/c/e'],
  ])('makes %j canonical: %j', (key, canonical) => {
    expect(sanitizeKey(key)).toBe(canonical);
  });

  it.each([
    'a b',
    ' a',
    'a ',
    'a  b',
    '.env',
    '..foo',
    'foo..',
    'a..b',
    '...',
    'a.',
    '%2F',
    '%2e%2e/a',
    '%00',
    '?',
    'q?1',
    '#',
    '&',
    '+',
    '=',
    ':',
    '*',
    '"<>|',
    '~',
    "'",
    '`$!',
    'CON',
    'nul.txt',
    '.storages/tmp',
    '__proto__',
    'constructor',
    'é',
    'e\u0301',
    'ﬀ',
    'ß',
    '日本語.txt',
    'שלום',
    '👩‍👩‍👧.png',
    '\u200b',
    '\ufeff',
    '\u2028',
    '\uffff',
  ])('leaves %j as it is', (key) => {
    expect(sanitizeKey(key)).toBe(key);
    expect(sanitizeKey(key, { mode: 'strict' })).toBe(key);
  });

  it.each([
    ['', 'empty'],
    ['/', 'empty'],
    ['.', 'empty'],
    ['..', 'empty'],
    ['a/..', 'empty'],
    ['\\', 'empty'],
    ['a\0b', 'control-character'],
    ['a\nb', 'control-character'],
    ['a\tb', 'control-character'],
    ['\x7f', 'control-character'],
    ['\x85', 'control-character'],
    ['a\ud800', 'lone-surrogate'],
    ['\udc00a', 'lone-surrogate'],
    ['x'.repeat(1025), 'too-long'],
    ['é'.repeat(513), 'too-long'],
    [undefined, 'type'],
    [null, 'type'],
    [7, 'type'],
    [Buffer.from('a'), 'type'],
  ])('refuses %j: %s', (key, rule) => {
    expect(() => sanitizeKey(key as string)).toThrow(expect.objectContaining({ code: 'INVALID_KEY', rule }));
  });

  it('counts the bytes of the canonical key', () => {
    expect(sanitizeKey('x'.repeat(1024))).toHaveLength(1024);
    expect(sanitizeKey('é'.repeat(512))).toHaveLength(512);
    expect(sanitizeKey(`${'/'.repeat(100)}${'x'.repeat(1024)}`)).toHaveLength(1024);
    expect(() => sanitizeKey('abcd', { maxBytes: 3 })).toThrow(expect.objectContaining({ rule: 'too-long' }));
  });

  it.each(['/a', 'a/', 'a//b', './a', 'a/../b', 'a\\b'])(
    'in strict mode refuses %j, and names what it could be',
    (key) => {
      expect(() => sanitizeKey(key, { mode: 'strict' })).toThrow(
        expect.objectContaining({
          rule: 'not-canonical',
          message: expect.stringContaining(JSON.stringify(sanitizeKey(key))),
        }),
      );
    },
  );

  /** Keys with all that has a meaning, and much that has none. */
  const keys = fc
    .array(fc.oneof(fc.constantFrom('/', '\\', '.', '..', '...', 'a', ' ', '%2F'), fc.string({ unit: 'binary' })), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''))
    .filter((key) => !/\p{Cc}/u.test(key));

  it('agrees with the path that POSIX would make of it under a root', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const expected = posix
          .normalize(`/${key.replaceAll('\\', '/')}`)
          .replace(/^\/+/, '')
          .replace(/\/$/, '');
        if (expected === '') expect(() => sanitizeKey(key)).toThrow(expect.objectContaining({ rule: 'empty' }));
        else expect(sanitizeKey(key)).toBe(expected);
      }),
    );
  });

  it('gives a key that it leaves alone, and that strict mode takes', () => {
    fc.assert(
      fc.property(keys, (key) => {
        let canonical: string;
        try {
          canonical = sanitizeKey(key);
        } catch {
          return; // no key at all: above
        }
        expect(sanitizeKey(canonical)).toBe(canonical);
        expect(sanitizeKey(canonical, { mode: 'strict' })).toBe(canonical);
        expect(canonical.split('/').every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
        if (key !== canonical) expect(() => sanitizeKey(key, { mode: 'strict' })).toThrow();
      }),
    );
  });
});
