import type { Capabilities } from '../capabilities.js';
import { FileTooLargeError, InvalidArgumentError, UnsupportedOperationError } from '../errors/index.js';
import {
  freshKey,
  type ByteRange,
  type Checksum,
  type CopyOptions,
  type DeleteOptions,
  type GetOptions,
  type ListEntriesOptions,
  type ListOptions,
  type PutOptions,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type ResolvedUploadUrlOptions,
  type ResolvedUrlOptions,
  type SignalOptions,
  type UploadUrlOptions,
  type UrlOptions,
} from './options.js';
import { headerValue, resolveAttributes, resolveContentType } from './resolve-attributes.js';

/** Longest life of a signed URL in seconds: 7 days, S3's own limit. */
export const MAX_URL_SECONDS = 604_800;

const HEX_LENGTH = { sha256: 64, md5: 32, crc32: 8 } as const satisfies Record<keyof Checksum, number>;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LONE_SURROGATE = /\p{Cs}/u;

/** Options are an object or left out; anything else is a mistake that would otherwise be ignored in silence. */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError('The options must be an object.');
  }
  const { signal, onProgress } = options as { signal?: unknown; onProgress?: unknown };
  if (signal !== undefined && !isAbortSignal(signal)) throw new InvalidArgumentError('signal must be an AbortSignal.');
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new InvalidArgumentError('onProgress must be a function.');
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
}

/** Options that their maker still completes. By assignment: to spread an object and add to it costs half a microsecond a property. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };

export function resolvePutOptions(
  key: string,
  options: PutOptions,
  capabilities: Capabilities,
): Writable<ResolvedPutOptions> {
  const size = byteCount('size', options.size, 0);
  if (size !== undefined && size > capabilities.maxSize) {
    throw new FileTooLargeError(
      `This storage takes files of at most ${capabilities.maxSize} bytes; ${size} were declared.`,
      { key },
    );
  }
  const ifNoneMatch = createOnly(options.ifNoneMatch);
  const ifMatch = etag('ifMatch', options.ifMatch);
  if (ifNoneMatch !== undefined && ifMatch !== undefined) {
    throw new InvalidArgumentError(
      'ifMatch and ifNoneMatch exclude each other: an object cannot have a version and not exist.',
    );
  }
  if (ifNoneMatch !== undefined) needs(capabilities.createOnly, "ifNoneMatch: '*'", 'createOnly');
  if (ifMatch !== undefined) needs(capabilities.compareAndSwap, 'ifMatch', 'compareAndSwap');
  const checksum = resolveChecksum(options.checksum);
  const resolved: Writable<ResolvedPutOptions> = resolveAttributes(key, options, capabilities.maxMetadataBytes);
  if (size !== undefined) resolved.size = size;
  if (checksum !== undefined) resolved.checksum = checksum;
  if (ifNoneMatch !== undefined) resolved.ifNoneMatch = ifNoneMatch;
  if (ifMatch !== undefined) resolved.ifMatch = ifMatch;
  if (options.signal !== undefined) resolved.signal = options.signal;
  if (options[freshKey] === true) resolved[freshKey] = true;
  return resolved;
}

export function resolveGetOptions(options: GetOptions): ResolvedGetOptions {
  const range = resolveByteRange(options.range);
  const ifMatch = etag('ifMatch', options.ifMatch);
  const ifNoneMatch = etag('ifNoneMatch', options.ifNoneMatch);
  return {
    ...(range === undefined ? undefined : { range }),
    ...(ifMatch === undefined ? undefined : { ifMatch }),
    ...(ifNoneMatch === undefined ? undefined : { ifNoneMatch }),
    ...signalOf(options),
  };
}

export function resolveDeleteOptions(options: DeleteOptions, capabilities: Capabilities): ResolvedDeleteOptions {
  const ifMatch = etag('ifMatch', options.ifMatch);
  if (ifMatch !== undefined) needs(capabilities.compareAndSwap, 'ifMatch', 'compareAndSwap');
  const force: unknown = options.force ?? false;
  // a text 'false' from a query would mean true
  if (typeof force !== 'boolean') throw new InvalidArgumentError('force must be true or false.');
  return { force, ...(ifMatch === undefined ? undefined : { ifMatch }), ...signalOf(options) };
}

export function resolveListOptions(options: ListOptions): ResolvedListOptions & { readonly limit?: number } {
  const limit = byteCount('limit', options.limit, 0);
  const { startAfter } = options;
  if (startAfter !== undefined) checkText('startAfter', startAfter);
  return {
    ...(limit === undefined ? undefined : { limit }),
    ...(startAfter === undefined ? undefined : { startAfter }),
    ...signalOf(options),
  };
}

export function resolveListEntriesOptions(options: ListEntriesOptions): ResolvedListEntriesOptions {
  const delimiter = options.delimiter ?? '/';
  checkText('delimiter', delimiter);
  if (delimiter === '') throw new InvalidArgumentError('delimiter must not be empty.');
  return { ...resolveListOptions(options), delimiter };
}

export function resolveCopyOptions(options: CopyOptions, capabilities: Capabilities): ResolvedCopyOptions {
  const ifNoneMatch = createOnly(options.ifNoneMatch);
  if (ifNoneMatch !== undefined)
    needs(capabilities.conditionalCopy, "ifNoneMatch: '*' on copy and move", 'conditionalCopy');
  return { ...(ifNoneMatch === undefined ? undefined : { ifNoneMatch }), ...signalOf(options) };
}

export function resolveUrlOptions(options: UrlOptions, capabilities: Capabilities): ResolvedUrlOptions {
  const expiresIn = options.expiresIn === undefined ? undefined : resolveDuration('expiresIn', options.expiresIn);
  const disposition = headerValue('disposition', options.disposition);
  const contentType = resolveContentType(options.contentType);
  for (const [name, value] of Object.entries({ expiresIn, disposition, contentType })) {
    if (value !== undefined && capabilities.urls !== 'signed') {
      throw new UnsupportedOperationError(
        `${name} needs signed URLs, and this storage has none (capabilities.urls is '${capabilities.urls}'). ` +
          'Use a storage that signs its own URLs, or leave the option out.',
      );
    }
  }
  return {
    ...(expiresIn === undefined ? undefined : { expiresIn }),
    ...(disposition === undefined ? undefined : { disposition }),
    ...(contentType === undefined ? undefined : { contentType }),
    ...signalOf(options),
  };
}

export function resolveUploadUrlOptions(
  options: UploadUrlOptions,
  capabilities: Capabilities,
): ResolvedUploadUrlOptions {
  const contentType = resolveContentType(options.contentType);
  const maxSize = byteCount('maxSize', options.maxSize, 0);
  const expiresIn = resolveDuration('expiresIn', options.expiresIn);
  needs(capabilities.uploadUrls, 'uploadUrl()', 'uploadUrls');
  return {
    expiresIn,
    ...(contentType === undefined ? undefined : { contentType }),
    ...(maxSize === undefined ? undefined : { maxSize }),
    ...signalOf(options),
  };
}

/** A prefix is a plain string: it is neither made canonical nor refused for what it cannot match. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || LONE_SURROGATE.test(value)) {
    throw new InvalidArgumentError(`${name} must be a string of well-formed Unicode.`);
  }
}

/** Seconds from a number of seconds or a number with its unit. */
function resolveDuration(name: string, value: unknown): number {
  let seconds = Number.NaN;
  if (typeof value === 'number') seconds = value;
  if (typeof value === 'string') {
    const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(value);
    if (match?.[1] !== undefined) seconds = Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
  }
  if (!(seconds >= 1 && seconds <= MAX_URL_SECONDS)) {
    throw new InvalidArgumentError(
      `${name} must be 1 second to 7 days: a number of seconds, or '30s', '15m', '2h', '7d'.`,
    );
  }
  return Math.floor(seconds);
}

function signalOf(options: SignalOptions): { readonly signal?: AbortSignal } | undefined {
  return options.signal === undefined ? undefined : { signal: options.signal };
}

function needs(declared: boolean, what: string, capability: keyof Capabilities): void {
  if (!declared) {
    throw new UnsupportedOperationError(`This storage does not support ${what} (capabilities.${capability} is false).`);
  }
}

function byteCount(name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new InvalidArgumentError(`${name} must be a whole number of at least ${least}, below 2^53.`);
  }
  return value;
}

function createOnly(value: unknown): '*' | undefined {
  if (value !== undefined && value !== '*') {
    throw new InvalidArgumentError("ifNoneMatch on a write must be '*', which means: create only.");
  }
  return value;
}

function etag(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value === '*' || /["\p{Cc}]/u.test(value)) {
    throw new InvalidArgumentError(`${name} must be an etag as StoredFile.etag gives it, without quotes.`);
  }
  return value;
}

function resolveByteRange(range: unknown): ByteRange | undefined {
  if (range === undefined) return undefined;
  if (typeof range !== 'object' || range === null) {
    throw new InvalidArgumentError('range must be { offset, length? } or { suffix }.');
  }
  const { offset, length, suffix } = range as { offset?: unknown; length?: unknown; suffix?: unknown };
  if (suffix !== undefined) {
    if (offset !== undefined || length !== undefined) {
      throw new InvalidArgumentError('range.suffix excludes range.offset and range.length.');
    }
    return { suffix: byteCount('range.suffix', suffix, 1) ?? 0 };
  }
  if (offset === undefined) throw new InvalidArgumentError('range must have an offset or a suffix.');
  const from = byteCount('range.offset', offset, 0) ?? 0;
  const count = byteCount('range.length', length, 1);
  return count === undefined ? { offset: from } : { offset: from, length: count };
}

function resolveChecksum(checksum: unknown): Checksum | undefined {
  if (checksum === undefined) return undefined;
  if (typeof checksum !== 'object' || checksum === null) {
    throw new InvalidArgumentError('checksum must be an object such as { sha256: "..." }.');
  }
  const entries = Object.entries(checksum).filter(([, value]) => value !== undefined) as [string, unknown][];
  if (entries.length === 0) throw new InvalidArgumentError('checksum must have sha256, md5 or crc32.');
  for (const [algorithm, value] of entries) {
    const length = Object.hasOwn(HEX_LENGTH, algorithm) ? HEX_LENGTH[algorithm as keyof Checksum] : undefined;
    if (length === undefined)
      throw new InvalidArgumentError(`checksum: ${JSON.stringify(algorithm)} is not one of sha256, md5, crc32.`);
    if (typeof value !== 'string' || value.length !== length || !/^[0-9a-f]+$/.test(value)) {
      throw new InvalidArgumentError(`checksum.${algorithm} must be ${length} digits of lower-case hex.`);
    }
  }
  return Object.fromEntries(entries);
}
