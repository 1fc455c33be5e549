import { encodeKey } from '../contract/index.js';
import { singleChecksum } from '../contract/options/single-checksum.js';
import type { SignedRequest } from './signed-request.js';

/**
 * The part of a URL behind the route: `<storage>/<key>?<bounds>&signature=<signature>`. Each request has one spelling: only unreserved characters stand as
 * they are (RFC 3986, section 2.3), everything else is percent-encoded in upper case, and the order is fixed.
 */
export function writeSignedUrl(request: SignedRequest, signature: string): string {
  const { storage, key, expires, disposition, contentType, once, size, maxSize, checksum, createOnly } = request;
  const parameters: readonly (readonly [name: string, value: string | number | undefined])[] = [
    ['expires', expires],
    ['disposition', disposition],
    ['type', contentType],
    ['once', once],
    ['size', size],
    ['max-size', maxSize],
    ['sha256', checksum?.sha256],
    ['md5', checksum?.md5],
    ['crc32', checksum?.crc32],
    ['create', createOnly === true ? 'only' : undefined],
    ['signature', signature],
  ];
  const query = parameters.flatMap(([name, value]) => (value === undefined ? [] : `${name}=${encode(String(value))}`));
  return `${encode(storage)}/${encodeKey(key)}?${query.join('&')}`;
}

/**
 * Reads what `writeSignedUrl` has written, and nothing else: another spelling, a doubled, added or missing parameter gives `undefined`. Whether the
 * signature is right is not looked at.
 */
export function readSignedUrl(
  method: SignedRequest['method'],
  text: string,
): { readonly request: SignedRequest; readonly signature: string } | undefined {
  const [, storage, key, query] = /^([^/?]+)\/([^?]+)\?([^?]+)$/.exec(text) ?? [];
  if (storage === undefined || key === undefined || query === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    const at = part.indexOf('=');
    const value = decode(part.slice(at + 1));
    if (at < 0 || value === undefined) return undefined;
    parameters.set(part.slice(0, at), value);
  }
  const [decodedStorage, decodedKey] = [decode(storage), decode(key)];
  const signature = parameters.get('signature');
  if (decodedStorage === undefined || decodedKey === undefined || signature === undefined) return undefined;
  const request: SignedRequest = {
    method,
    storage: decodedStorage,
    key: decodedKey,
    expires: Number(parameters.get('expires')),
    disposition: parameters.get('disposition'),
    contentType: parameters.get('type'),
    once: parameters.get('once'),
    size: numberOf(parameters.get('size')),
    maxSize: numberOf(parameters.get('max-size')),
    checksum: checksumIn(parameters),
    createOnly: parameters.has('create'),
  };
  return writeSignedUrl(request, signature) === text ? { request, signature } : undefined;
}

function checksumIn(parameters: ReadonlyMap<string, string>): SignedRequest['checksum'] {
  const [sha256, md5, crc32] = ['sha256', 'md5', 'crc32'].map((algorithm) => parameters.get(algorithm));
  const [algorithm, digest] = singleChecksum({ sha256, md5, crc32 }) ?? [];
  return algorithm === undefined ? undefined : { [algorithm]: digest };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function encode(text: string): string {
  return encodeKey(text).replaceAll('/', '%2F');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
