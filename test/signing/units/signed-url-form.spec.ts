import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBytes, type SignedRequest } from '../../../lib/signing/signed-request.js';
import { readSignedUrl, writeSignedUrl } from '../../../lib/signing/signed-url-form.js';
import { SigningSecrets } from '../../../lib/signing/signing-secrets.js';

const wellFormed = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cs}/u.test(text));
const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });

const optional = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });

const requests: fc.Arbitrary<SignedRequest> = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST'),
  storage: wellFormed,
  key: fc.array(wellFormed, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
  expires: fc.nat(),
  disposition: optional(wellFormed),
  contentType: optional(wellFormed),
  once: optional(hex(32)),
  size: optional(fc.nat()),
  maxSize: optional(fc.nat()),
  checksum: optional(
    fc.oneof(
      hex(64).map((sha256) => ({ sha256 })),
      hex(32).map((md5) => ({ md5 })),
    ),
  ),
  createOnly: fc.boolean(),
});

describe('The form of a signed URL', () => {
  it('gives back every request that was written, whatever characters its names have', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const read = readSignedUrl(request.method, writeSignedUrl(request, 'signature'));
        expect(read).toEqual({ request, signature: 'signature' });
      }),
    );
  });

  it('uses nothing but unreserved characters, so that no client and no proxy spells it anew', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(writeSignedUrl(request, 'signature')).toMatch(/^(?:[\w.~/?=&-]|%[0-9A-F]{2})+$/);
      }),
    );
  });

  it('has no other spelling: what is changed in any character is another request or none', () => {
    fc.assert(
      fc.property(
        requests,
        fc.nat(),
        fc.constantFrom(...Array.from('aA1%/&=?+. ~\\;')),
        (request, place, character) => {
          const text = writeSignedUrl(request, 'signature');
          const at = place % text.length;
          const changed = text.slice(0, at) + character + text.slice(at + 1);
          fc.pre(changed !== text);
          const read = readSignedUrl(request.method, changed);
          const same = read?.signature === 'signature' && canonicalBytes(read.request).equals(canonicalBytes(request));
          expect(same).toBe(false);
        },
      ),
    );
  });
});

describe('What is signed', () => {
  it('differs for requests that differ in any field', () => {
    fc.assert(
      fc.property(requests, requests, (one, other) => {
        const same = JSON.stringify(normal(one)) === JSON.stringify(normal(other));
        expect(canonicalBytes(one).equals(canonicalBytes(other))).toBe(same);
      }),
    );
  });

  it.each<[string, Partial<SignedRequest>, Partial<SignedRequest>]>([
    ['a border that moves between storage and key', { storage: 'a', key: 'b/c' }, { storage: 'a/b', key: 'c' }],
    ['a digit that moves from one number to the next', { size: 1, maxSize: 23 }, { size: 12, maxSize: 3 }],
    ['an empty field and none', { disposition: '' }, {}],
    ['a value in another field', { disposition: 'x' }, { contentType: 'x' }],
    ['a length that is written into the text', { storage: 'a,1:b', key: 'c' }, { storage: 'a', key: 'b,1:c' }],
  ])('tells %s apart', (_, one, other) => {
    const base: SignedRequest = { method: 'GET', storage: 's', key: 'k', expires: 1 };
    expect(canonicalBytes({ ...base, ...one }).equals(canonicalBytes({ ...base, ...other }))).toBe(false);
  });
});

describe('Signing secrets', () => {
  const message = Buffer.from('message');

  it('sign with the first and verify with every one', () => {
    const [old, young] = ['o'.repeat(32), 'y'.repeat(32)];
    const before = new SigningSecrets([old]).sign(message);
    const both = new SigningSecrets([young, old]);
    expect(both.sign(message)).toBe(new SigningSecrets([young]).sign(message));
    expect(both.verify(message, before)).toBe(true);
    expect(new SigningSecrets([young]).verify(message, before)).toBe(false);
  });

  it('take bytes for the text that they are', () => {
    const signature = new SigningSecrets(['é'.repeat(16)]).sign(message);
    expect(new SigningSecrets([Buffer.from('é'.repeat(16))]).verify(message, signature)).toBe(true);
  });

  it('refuse a signature that decodes to the same bytes and is written otherwise', () => {
    const secrets = new SigningSecrets(['s'.repeat(32)]);
    const signature = secrets.sign(message);
    const last = signature.slice(-1);
    // the last of 43 characters has two bits that mean nothing
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = signature.slice(0, -1) + String(digits[digits.indexOf(last) ^ 1]);
    expect(Buffer.from(twin, 'base64url').equals(Buffer.from(signature, 'base64url'))).toBe(true);
    expect(secrets.verify(message, signature)).toBe(true);
    expect(secrets.verify(message, twin)).toBe(false);
    expect(secrets.verify(message, `${signature}=`)).toBe(false);
  });

  it.each([
    [[]],
    [['short']],
    [['s'.repeat(31)]],
    [['s'.repeat(32), 'short']],
    [[undefined]],
    ['s'.repeat(40)],
    [undefined],
  ])('that are none or too short are refused without being shown: %j', (secrets) => {
    const make = (): unknown => new SigningSecrets(secrets as unknown as string[]);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
    expect(make).not.toThrow(/short|sss/);
  });
});

function normal(request: SignedRequest): unknown {
  const { method, storage, key, expires, disposition, contentType, once, size, maxSize, checksum, createOnly } =
    request;
  return [method, storage, key, expires, disposition, contentType, once, size, maxSize, checksum, createOnly];
}
