import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys, encodeKey } from 'nestjs-storages';

describe('compareKeys', () => {
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

  it('orders by UTF-8 bytes where UTF-16 units say otherwise', () => {
    expect(compareKeys('\uff5e', '\u{1f600}')).toBeLessThan(0);
    expect(['\uff5e', '\u{1f600}'].sort()).toEqual(['\u{1f600}', '\uff5e']); // UTF-16 units
    expect(['a0', 'a/b', 'a', 'a-b', 'a.b', '', 'b', 'A'].sort(compareKeys)).toEqual([
      '',
      'A',
      'a',
      'a-b',
      'a.b',
      'a/b',
      'a0',
      'b',
    ]);
  });

  it('agrees with Buffer.compare for all well-formed strings', () => {
    const text = fc.string({ unit: 'binary', maxLength: 8 });
    fc.assert(
      fc.property(text, text, text, (start, a, b) => {
        expect(Math.sign(compareKeys(start + a, start + b))).toBe(byBytes(start + a, start + b));
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with Buffer.compare around the surrogates, one character against another', () => {
    const edges = [
      '\0',
      'a',
      '\x7f',
      '\x80',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\ufffd',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ];
    for (const a of edges) for (const b of edges) expect(Math.sign(compareKeys(a, b))).toBe(byBytes(a, b));
  });
});

describe('encodeKey', () => {
  it.each([
    ['a/b.txt', 'a/b.txt'],
    ['a b', 'a%20b'],
    ['ü?#', '%C3%BC%3F%23'],
    ['%2F', '%252F'],
    ["!'()*", '%21%27%28%29%2A'],
    ['~-._', '~-._'],
    ['😀', '%F0%9F%98%80'],
  ])('encodes %j as %j', (key, encoded) => {
    expect(encodeKey(key)).toBe(encoded);
  });

  it('holds unreserved characters only, and can be turned back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        const encoded = encodeKey(key);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/);
        expect(encoded.split('/').map(decodeURIComponent).join('/')).toBe(key);
      }),
    );
  });
});
