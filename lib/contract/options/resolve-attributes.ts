import { contentTypeOfKey } from '../content-type.js';
import { InvalidArgumentError } from '../errors/index.js';
import type { FileAttributes } from '../stored-file.js';
import type { PutAttributes } from './options.js';

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** type "/" subtype, then parameters (RFC 9110, section 8.3.1). */
const MEDIA_TYPE =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[ !#-[\]-~]|\\[ -~])*"))*$/;
/** A header field's value that every server takes: printable ASCII, no space at either end. */
const FIELD_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;
const CONTROL = /\p{Cc}/u;
const LONE_SURROGATE = /\p{Cs}/u;

/** Longest value of one header attribute, in bytes: it must fit a response's header beside others. */
export const MAX_HEADER_BYTES = 1024;

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/** Checks attributes and completes them: the content type from the key's extension, metadata lower-cased and frozen. */
export function resolveAttributes(key: string, options: PutAttributes, maxMetadataBytes: number): FileAttributes {
  const cacheControl = headerValue('cacheControl', options.cacheControl);
  const contentDisposition = headerValue('contentDisposition', options.contentDisposition);
  const contentEncoding = headerValue('contentEncoding', options.contentEncoding);
  const attributes: { -readonly [Name in keyof FileAttributes]: FileAttributes[Name] } = {
    contentType: resolveContentType(options.contentType) ?? contentTypeOfKey(key),
    metadata: resolveMetadata(options.metadata, maxMetadataBytes),
  };
  if (cacheControl !== undefined) attributes.cacheControl = cacheControl;
  if (contentDisposition !== undefined) attributes.contentDisposition = contentDisposition;
  if (contentEncoding !== undefined) attributes.contentEncoding = contentEncoding;
  return attributes;
}

export function resolveContentType(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > MAX_HEADER_BYTES || !MEDIA_TYPE.test(value)) {
    throw new InvalidArgumentError(
      'contentType must be a media type such as "image/png" or "text/plain; charset=utf-8" (RFC 9110, section 8.3.1).',
    );
  }
  return value;
}

export function headerValue(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > MAX_HEADER_BYTES || !FIELD_VALUE.test(value)) {
    throw new InvalidArgumentError(
      `${name} must be a header field's value: 1 to ${MAX_HEADER_BYTES} printable ASCII characters, no line break. ` +
        'Other characters have an encoded form (RFC 8187).',
    );
  }
  return value;
}

function resolveMetadata(metadata: unknown, maxBytes: number): Readonly<Record<string, string>> {
  if (metadata === undefined) return NO_METADATA;
  // a Map or a Headers has entries of its own, which would be lost in silence
  if (typeof metadata !== 'object' || metadata === null || Symbol.iterator in metadata) {
    throw new InvalidArgumentError('metadata must be an object of strings.');
  }
  const resolved = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata) as [string, unknown][]) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name)) {
      throw new InvalidArgumentError(
        `metadata: the name ${JSON.stringify(name)} is not a token (letters, digits and !#$%&'*+-.^_\`|~).`,
      );
    }
    if (resolved.has(lower)) {
      throw new InvalidArgumentError(
        `metadata: the name ${JSON.stringify(lower)} is given twice; names do not depend on letter case.`,
      );
    }
    if (typeof value !== 'string') {
      throw new InvalidArgumentError(`metadata: the value of ${JSON.stringify(name)} must be a string.`);
    }
    if (CONTROL.test(value) || LONE_SURROGATE.test(value)) {
      throw new InvalidArgumentError(
        `metadata: the value of ${JSON.stringify(name)} must be well-formed Unicode without control characters.`,
      );
    }
    resolved.set(lower, value);
    bytes += lower.length + encodeURIComponent(value).length;
    if (bytes > maxBytes) {
      throw new InvalidArgumentError(
        `metadata may have at most ${maxBytes} bytes, names and percent-encoded values together.`,
      );
    }
  }
  // fromEntries makes own properties, also of "__proto__"
  return Object.freeze(Object.fromEntries(resolved));
}
