/**
 * A key as the path of a URL: each part percent-encoded (RFC 3986, section 3.3), `/` kept.
 *
 * @example
 * encodeKey('a b/ü?.txt'); // 'a%20b/%C3%BC%3F.txt'
 */
export function encodeKey(key: string): string {
  return key
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/');
}
