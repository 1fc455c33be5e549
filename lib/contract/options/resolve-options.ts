import type { Capabilities } from '../capabilities.js';
import { FileTooLargeError, InvalidArgumentError, UnsupportedOperationError } from '../errors/index.js';
import { changeHold } from './change-hold.js';
import { parseDuration } from './duration.js';
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

const LET_THE_MODULE_SIGN = "Let the module sign for it ('serve' in StorageModule.forRoot())";

/** Longest life of a signed URL in seconds: 7 days, S3's own limit. */
export const MAX_URL_SECONDS = 604_800;

const HEX_LENGTH = { sha256: 64, md5: 32, crc32: 8 } as const satisfies Record<keyof Checksum, number>;
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
  if (ifNoneMatch !== undefined || ifMatch !== undefined) checkConditionalSize(size ?? 0, capabilities);
  const checksum = resolveChecksum(options.checksum);
  const resolved: Writable<ResolvedPutOptions> = resolveAttributes(key, options, capabilities.maxMetadataBytes);
  if (size !== undefined) resolved.size = size;
  if (checksum !== undefined) resolved.checksum = checksum;
  if (ifNoneMatch !== undefined) resolved.ifNoneMatch = ifNoneMatch;
  if (ifMatch !== undefined) resolved.ifMatch = ifMatch;
  if (options.signal !== undefined) resolved.signal = options.signal;
  if (options[freshKey] === true) resolved[freshKey] = true;
  if (options[changeHold] !== undefined) resolved[changeHold] = options[changeHold];
  return resolved;
}

/** @throws UnsupportedOperationError for a size for which the backend cannot decide a condition */
export function checkConditionalSize(size: number, { maxConditionalSize }: Capabilities): void {
  if (size > maxConditionalSize) {
    throw new UnsupportedOperationError(
      `This storage takes a condition for files of at most ${maxConditionalSize} bytes (capabilities.maxConditionalSize).`,
    );
  }
}

export function resolveGetOptions(options: GetOptions): ResolvedGetOptions {
  const range = resolveByteRange(options.range);
  const ifMatch = etag('ifMatch', options.ifMatch);
  const ifNoneMatch = etag('ifNoneMatch', options.ifNoneMatch);
  const resolved: Writable<ResolvedGetOptions> = {};
  if (range !== undefined) resolved.range = range;
  if (ifMatch !== undefined) resolved.ifMatch = ifMatch;
  if (ifNoneMatch !== undefined) resolved.ifNoneMatch = ifNoneMatch;
  if (options.signal !== undefined) resolved.signal = options.signal;
  return resolved;
}

export function resolveDeleteOptions(options: DeleteOptions, capabilities: Capabilities): ResolvedDeleteOptions {
  const ifMatch = etag('ifMatch', options.ifMatch);
  if (ifMatch !== undefined) needs(capabilities.compareAndSwap, 'ifMatch', 'compareAndSwap');
  const force: unknown = options.force ?? false;
  // a text 'false' from a query would mean true
  if (typeof force !== 'boolean') throw new InvalidArgumentError('force must be true or false.');
  const hold = options[changeHold];
  return {
    force,
    ...(ifMatch === undefined ? undefined : { ifMatch }),
    ...(hold === undefined ? undefined : { [changeHold]: hold }),
    ...signalOf(options),
  };
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
  const once: unknown = options.once ?? false;
  if (typeof once !== 'boolean') throw new InvalidArgumentError('once must be true or false.');
  for (const [name, value] of Object.entries({ expiresIn, disposition, contentType, once: once || undefined })) {
    if (value !== undefined && capabilities.urls !== 'signed') {
      throw new UnsupportedOperationError(
        `${name} needs signed URLs, and this storage has none (capabilities.urls is '${capabilities.urls}'). ` +
          `${LET_THE_MODULE_SIGN}, use a storage that signs its own URLs, or leave the option out.`,
      );
    }
  }
  if (once && !capabilities.oneTimeUrls) {
    throw new UnsupportedOperationError(
      "once needs a place where used URLs are noted (capabilities.oneTimeUrls is false): name one by 'usedUrls' of 'serve' in " +
        'StorageModule.forRoot(). A storage that signs its own URLs has no such place.',
    );
  }
  return {
    ...(expiresIn === undefined ? undefined : { expiresIn }),
    ...(disposition === undefined ? undefined : { disposition }),
    ...(contentType === undefined ? undefined : { contentType }),
    ...(once ? { once } : undefined),
    ...signalOf(options),
  };
}

export function resolveUploadUrlOptions(
  options: UploadUrlOptions,
  capabilities: Capabilities,
): ResolvedUploadUrlOptions {
  const contentType = resolveContentType(options.contentType);
  const size = byteCount('size', options.size, 0);
  const maxSize = byteCount('maxSize', options.maxSize, 0);
  if (size !== undefined && maxSize !== undefined) {
    throw new InvalidArgumentError('size and maxSize exclude each other: one is the exact length, the other a limit.');
  }
  const expiresIn = resolveDuration('expiresIn', options.expiresIn);
  const checksum = resolveChecksum(options.checksum);
  if (checksum !== undefined && Object.keys(checksum).length > 1) {
    throw new InvalidArgumentError('checksum of an upload URL must be of one algorithm: sha256, md5 or crc32.');
  }
  const ifNoneMatch = createOnly(options.ifNoneMatch);
  const method: unknown = options.method;
  if (method !== undefined && method !== 'PUT' && method !== 'POST') {
    throw new InvalidArgumentError("method must be 'PUT' or 'POST'.");
  }
  needs(capabilities.uploadUrls, 'uploadUrl()', 'uploadUrls', ` ${LET_THE_MODULE_SIGN}.`);
  if (ifNoneMatch !== undefined) needs(capabilities.createOnly, "ifNoneMatch: '*'", 'createOnly');
  return {
    expiresIn,
    ...(contentType === undefined ? undefined : { contentType }),
    ...(size === undefined ? undefined : { size }),
    ...(maxSize === undefined ? undefined : { maxSize }),
    ...(checksum === undefined ? undefined : { checksum }),
    ...(ifNoneMatch === undefined ? undefined : { ifNoneMatch }),
    ...(method === undefined ? undefined : { method }),
    ...signalOf(options),
  };
}

/** A prefix is a plain string: it is neither made canonical nor refused for what it cannot match. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || LONE_SURROGATE.test(value)) {
    throw new InvalidArgumentError(`${name} must be a string of well-formed Unicode.`);
  }
}

function resolveDuration(name: string, value: unknown): number {
  const seconds = parseDuration(value) ?? Number.NaN;
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

/** @param remedy a further sentence, where there is something to do about it */
function needs(declared: boolean, what: string, capability: keyof Capabilities, remedy = ''): void {
  if (!declared) {
    throw new UnsupportedOperationError(
      `This storage does not support ${what} (capabilities.${capability} is false).${remedy}`,
    );
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
