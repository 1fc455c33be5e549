import { describe, expect, it } from '@jest/globals';
import { parse } from 'content-disposition';
import fc from 'fast-check';
import { freezeStoredFile, type StoredFile } from 'nestjs-storages';
import { ArchiveNames } from '../../../lib/download/archive-names.js';
import { MAX_RANGES, parseRange } from '../../../lib/download/byte-ranges.js';
import { decideConditions, rangeHolds } from '../../../lib/download/conditions.js';
import { dispositionOf } from '../../../lib/download/disposition.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  // lone surrogates too
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('..', '.', '', 'a', 'A', 'b', 'C:', 'é', 'e\u0301', 'x.tar.gz'), { maxLength: 5 })
    .map((parts) => parts.join('/')),
);

describe('A Range header', () => {
  const number = fc.oneof(fc.nat(40), fc.nat(1_000_000));
  const spec = fc.oneof(
    fc.tuple(number, number).map(([first, last]) => ({ first, last, text: `${first}-${last}` })),
    number.map((first) => ({ first, text: `${first}-` })),
    number.map((suffix) => ({ suffix, text: `-${suffix}` })),
  );
  const space = fc.constantFrom('', ' ', '\t', '  ');

  it('stands for the bytes that each of its ranges names, in order and each once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(spec, space), { minLength: 1, maxLength: 8 }), fc.nat(50), (specs, size) => {
        const header = `bytes=${specs.map(([{ text }, blank]) => `${blank}${text}${blank}`).join(',')}`;
        const result = parseRange(header, size);
        const backwards = specs.some(([each]) => 'last' in each && each.last < each.first);
        const suffixOfNothing = size === 0 && specs.some(([each]) => 'suffix' in each && each.suffix > 0);
        if (backwards || suffixOfNothing) {
          expect(result).toBe('ignored');
          return;
        }
        const wanted = Array.from({ length: size }, (_each, at) => at).filter((at) =>
          specs.some(([each]) =>
            'suffix' in each ? at >= size - each.suffix : at >= each.first && at <= ('last' in each ? each.last : size),
          ),
        );
        if (wanted.length === 0) {
          expect(result).toBe('unsatisfiable');
          return;
        }
        if (typeof result === 'string') throw new Error(`${header} of ${size} is ${result}`);
        expect(result.flatMap(({ offset, length }) => Array.from({ length }, (_each, i) => offset + i))).toEqual(
          wanted,
        );
        // ranges that touch are one
        expect(result.every(({ offset, length }) => !wanted.includes(offset + length))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('of any text is answered with ranges inside the file, or not at all', () => {
    const text = fc.oneof(
      anyText,
      fc
        .array(fc.constantFrom('bytes', '=', '-', ',', ' ', '0', '9', '99999999999999999999'), { maxLength: 30 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.nat(100), (header, size) => {
        for (const each of [header, `bytes=${header}`]) {
          const result = parseRange(each, size);
          if (typeof result === 'string') continue;
          expect(result.length).toBeLessThanOrEqual(MAX_RANGES);
          for (const { offset, length } of result)
            expect(offset >= 0 && length > 0 && offset + length <= size).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('Conditions', () => {
  const fileOf = (etag: string, second: number): StoredFile =>
    freezeStoredFile({
      key: 'key',
      size: 1,
      contentType: 'text/plain',
      etag,
      lastModified: new Date(second * 1000 + 345),
      metadata: {},
    });
  const opaque = fc.constantFrom('a', 'b', 'a,b', 'W/', '*');
  const tag = fc.record({ opaque, weak: fc.boolean() });
  const list = fc.option(fc.oneof(fc.constant('*' as const), fc.array(tag, { minLength: 1, maxLength: 4 })), {
    nil: undefined,
  });
  const second = fc.option(fc.integer({ min: 1_000_000_000, max: 1_000_000_002 }), { nil: undefined });
  const textOf = (tags: '*' | readonly { opaque: string; weak: boolean }[], blank: string): string =>
    tags === '*'
      ? '*'
      : tags.map(({ opaque: value, weak }) => `${blank}${weak ? 'W/' : ''}"${value}"${blank}`).join(',');

  it('are decided as the steps of RFC 9110, section 13.2.2, say', () => {
    fc.assert(
      fc.property(
        opaque,
        list,
        list,
        second,
        second,
        fc.constantFrom('', ' ', '\t '),
        fc.constantFrom('GET', 'HEAD', 'PUT'),
        (etag, ifMatch, ifNoneMatch, unmodifiedSince, modifiedSince, blank, method) => {
          const modified = 1_000_000_001;
          const date = (at: number): string => new Date(at * 1000).toUTCString();
          const headers = {
            ...(ifMatch === undefined ? {} : { 'if-match': textOf(ifMatch, blank) }),
            ...(ifNoneMatch === undefined ? {} : { 'if-none-match': textOf(ifNoneMatch, blank) }),
            ...(unmodifiedSince === undefined ? {} : { 'if-unmodified-since': date(unmodifiedSince) }),
            ...(modifiedSince === undefined ? {} : { 'if-modified-since': date(modifiedSince) }),
          };
          const expected = ((): string => {
            const reads = method !== 'PUT';
            if (ifMatch !== undefined) {
              if (ifMatch !== '*' && !ifMatch.some((each) => each.opaque === etag && !each.weak))
                return 'precondition-failed';
            } else if (unmodifiedSince !== undefined && unmodifiedSince < modified) return 'precondition-failed';
            if (ifNoneMatch !== undefined) {
              if (ifNoneMatch === '*' || ifNoneMatch.some((each) => each.opaque === etag)) {
                return reads ? 'not-modified' : 'precondition-failed';
              }
            } else if (reads && modifiedSince !== undefined && modifiedSince >= modified) return 'not-modified';
            return 'answer';
          })();
          expect(decideConditions(headers, fileOf(etag, modified), method)).toBe(expected);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('of any text end in one of three verdicts, and If-Range holds for the strong tag alone', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, opaque, (a, b, c, etag) => {
        const file = fileOf(etag, 1_000_000_001);
        const headers = { 'if-match': a, 'if-none-match': b, 'if-modified-since': c, 'if-unmodified-since': b };
        expect(['answer', 'not-modified', 'precondition-failed']).toContain(decideConditions(headers, file, 'GET'));
        expect(rangeHolds(`x${a}`, file)).toBe(false);
        expect(rangeHolds(`W/"${etag}"`, file)).toBe(false);
        expect(rangeHolds(`"${etag}"`, file)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('A name of any text', () => {
  it('makes a header that can be sent, and is read back', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.boolean(), (filename, contentDisposition, inline) => {
        const header = dispositionOf({ key: 'key', contentDisposition }, { filename }, inline);
        expect(header).toMatch(/^(?:inline|attachment)(?:; [\x20-\x7e]*)?$/);
        const read = parse(header).parameters['filename'];
        const plain = Buffer.from(filename)
          .toString()
          .replace(/[\p{Cc}\u2028\u2029]/gu, '')
          .replace(/^.*[\\/]/s, '')
          .trim();
        expect(read ?? '').toBe(plain);
      }),
      { numRuns: 3000 },
    );
  });

  it('is in an archive once, below its folder, and in the place of no folder', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 30 }), (wanted) => {
        const names = new ArchiveNames();
        const given = wanted.map((each) => names.add(each));
        const folded = given.map((name) => name.normalize('NFC').toLowerCase());
        expect(new Set(folded).size).toBe(given.length);
        for (const name of given) {
          const parts = name.split('/');
          expect(
            parts.some((part) => part === '' || part === '.' || part === '..' || Buffer.byteLength(part) > 255),
          ).toBe(false);
          expect(name).not.toMatch(/^[a-z]:|[\\\p{Cc}\p{Cs}]/iu);
        }
        for (const name of folded) expect(folded.some((other) => other.startsWith(`${name}/`))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
