import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FileAttributes } from '../stored-file.js';
import type { changeHold, ChangeHold } from './change-hold.js';

/**
 * The bytes of an object. A string is stored as UTF-8. Bytes in memory must not be changed until the call has settled.
 * A stream is read once and destroyed when the call fails.
 */
export type StorageData =
  Buffer | Uint8Array | string | Readable | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> | Blob;

/** How far a transfer has come, in bytes. `total` is set where it is known. */
export interface TransferProgress {
  readonly transferred: number;
  readonly total?: number;
}

export interface SignalOptions {
  /** Aborts the call, which rejects with an `AbortError` (or a `TimeoutError` for `AbortSignal.timeout()`) and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
  /** @internal Of a call that changes something. */
  readonly [changeHold]?: ChangeHold | undefined;
}

export interface ProgressOptions {
  /** Called as bytes pass, never with fewer than before, the last time with all. What it throws fails the call. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Digests of the whole object in lower-case hex, each verified before the object becomes visible. */
export interface Checksum {
  readonly sha256?: string | undefined;
  readonly md5?: string | undefined;
  readonly crc32?: string | undefined;
}

/** Attributes as a caller may give them: all optional. */
export interface PutAttributes {
  readonly contentType?: string | undefined;
  /**
   * Names are lower-cased tokens (RFC 9110, section 5.6.2), values any well-formed Unicode without control characters; names and
   * percent-encoded values together at most 2,048 bytes.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
}

/**
 * Marks a key that its caller has made at random for this one put: no other writer knows it. A backend may spare the locks and looks
 * that keep several writers of a key apart; what it finds there against that word it treats as any other put does.
 *
 * @internal For uploads under keys of the library's own.
 */
export const freshKey: unique symbol = Symbol.for('nestjs-storages:fresh-key');

export interface PutOptions extends PutAttributes, SignalOptions, ProgressOptions {
  /** Declared length in bytes. Another length is an `IntegrityError`, and nothing is stored. */
  readonly size?: number | undefined;
  readonly checksum?: Checksum | undefined;
  /** Create only: `FileExistsError` where there is an object already, decided at the commit. */
  readonly ifNoneMatch?: '*' | undefined;
  /** Replace only the version with this etag: else `PreconditionFailedError`, decided at the commit. */
  readonly ifMatch?: string | undefined;
  /** @internal */
  readonly [freshKey]?: true | undefined;
}

export type StageOptions = PutOptions;

/** Bytes from `offset` on (to the end where `length` is left out), or the last `suffix` bytes. */
export type ByteRange =
  | { readonly offset: number; readonly length?: number | undefined; readonly suffix?: undefined }
  | { readonly suffix: number; readonly offset?: undefined; readonly length?: undefined };

export interface GetOptions extends SignalOptions, ProgressOptions {
  readonly range?: ByteRange | undefined;
  /** Read only the version with this etag: else `PreconditionFailedError`. */
  readonly ifMatch?: string | undefined;
  /** Read only if the version is another than this etag: else `PreconditionFailedError`. */
  readonly ifNoneMatch?: string | undefined;
}

export interface DeleteOptions extends SignalOptions {
  /** A missing key is no error, as in `fs.rm`. */
  readonly force?: boolean | undefined;
  /** Delete only the version with this etag: else `PreconditionFailedError`. */
  readonly ifMatch?: string | undefined;
}

export interface ListOptions extends SignalOptions {
  /** At most so many. */
  readonly limit?: number | undefined;
  /** Only what comes after this in UTF-8 byte order; it need not exist. */
  readonly startAfter?: string | undefined;
}

export interface ListEntriesOptions extends ListOptions {
  /** What ends a folder's name. Default `/`. */
  readonly delimiter?: string | undefined;
}

export interface DeletePrefixOptions extends SignalOptions {
  /** Must be true for the empty prefix, which means every object. */
  readonly all?: boolean | undefined;
}

/** Seconds, or a number with its unit: `'30s'`, `'15m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd'}`;

export interface UrlOptions extends SignalOptions {
  /** How long the URL works: from 1 second to 7 days. Needs `capabilities.urls === 'signed'`. */
  readonly expiresIn?: Duration | undefined;
  /** `Content-Disposition` of the answer (RFC 6266). Needs `capabilities.urls === 'signed'`. */
  readonly disposition?: string | undefined;
  /** `Content-Type` of the answer. Needs `capabilities.urls === 'signed'`. */
  readonly contentType?: string | undefined;
  /** Good for one GET; a HEAD does not use it up. Needs `capabilities.oneTimeUrls`. */
  readonly once?: boolean | undefined;
}

export interface UploadUrlOptions extends SignalOptions {
  /** How long the URL works: from 1 second to 7 days. */
  readonly expiresIn: Duration;
  /** The media type that the client must send, and that is stored. Default: by the key's extension. */
  readonly contentType?: string | undefined;
  /** Exact length of the body in bytes. */
  readonly size?: number | undefined;
  /** Largest body in bytes. */
  readonly maxSize?: number | undefined;
  /** The digest of the body, by one algorithm. */
  readonly checksum?: Checksum | undefined;
  /** Create only: the URL puts an object once, and never replaces one. Needs `capabilities.createOnly`. */
  readonly ifNoneMatch?: '*' | undefined;
  /**
   * `PUT` sends the file as the body, `POST` as the field `file`, the last one of a form (multipart/form-data, RFC 7578), as an HTML form without
   * scripts can. Default: `PUT` where that can keep to the rest, else `POST` (S3 bounds a length by `maxSize` for forms alone).
   */
  readonly method?: 'PUT' | 'POST' | undefined;
}

export interface CopyOptions extends SignalOptions {
  /** Create only: `FileExistsError` where the destination exists. */
  readonly ifNoneMatch?: '*' | undefined;
}

export type MoveOptions = CopyOptions;

/** What `_put` and `_stage` get: attributes complete and checked, conditions declared by the capabilities. */
export interface ResolvedPutOptions extends FileAttributes {
  /** The length in bytes where it is known. The source has already been bound to it: it fails rather than end elsewhere. */
  readonly size?: number;
  /** The whole body, where it was in memory already: a hook that uses it leaves the source unread. */
  readonly bytes?: Buffer;
  /** Verified by the base class; for backends whose server can check it too. */
  readonly checksum?: Checksum;
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
  /** When it fires the source is destroyed; ask `aborted` once more before the commit. */
  readonly signal?: AbortSignal;
  /** @internal By the symbol as a caller gives it, so that a wrapper that hands these options on hands on this too. */
  readonly [freshKey]?: true;
  /** @internal As the other one. */
  readonly [changeHold]?: ChangeHold;
}

export interface ResolvedGetOptions {
  readonly range?: ByteRange;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly signal?: AbortSignal;
}

export interface ResolvedDeleteOptions {
  readonly force: boolean;
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
  /** @internal As of a put. */
  readonly [changeHold]?: ChangeHold;
}

export interface ResolvedListOptions {
  /** At least 1. The base class stops there by itself; a hook may use it to fetch no more. */
  readonly limit?: number;
  readonly startAfter?: string;
  readonly signal?: AbortSignal;
}

export interface ResolvedListEntriesOptions extends ResolvedListOptions {
  /** Never empty. */
  readonly delimiter: string;
}

export interface ResolvedCopyOptions {
  readonly ifNoneMatch?: '*';
  readonly signal?: AbortSignal;
}

export interface ResolvedUrlOptions {
  /** Whole seconds, 1 to 604,800. */
  readonly expiresIn?: number;
  readonly disposition?: string;
  readonly contentType?: string;
  readonly once?: true;
  readonly signal?: AbortSignal;
}

export interface ResolvedUploadUrlOptions {
  /** Whole seconds, 1 to 604,800. */
  readonly expiresIn: number;
  readonly contentType?: string;
  /** Not with `maxSize`. */
  readonly size?: number;
  readonly maxSize?: number;
  /** Of one algorithm. */
  readonly checksum?: Checksum;
  readonly ifNoneMatch?: '*';
  readonly method?: 'PUT' | 'POST';
  readonly signal?: AbortSignal;
}
