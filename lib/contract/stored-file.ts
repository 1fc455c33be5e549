import type { Readable } from 'node:stream';
import type { StorageError } from './errors/index.js';

/** The attributes of an object that travel with its bytes, in one commit. */
export interface FileAttributes {
  /** Media type (RFC 9110, section 8.3.1): given, else by the key's extension, else `application/octet-stream`. */
  readonly contentType: string;
  /** The caller's own names and values. Names are lower-cased tokens. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `Cache-Control` to serve the object with (RFC 9111, section 5.2). */
  readonly cacheControl?: string;
  /** `Content-Disposition` to serve the object with (RFC 6266). */
  readonly contentDisposition?: string;
  /** `Content-Encoding` of the stored bytes (RFC 9110, section 8.4). They are neither encoded nor decoded. */
  readonly contentEncoding?: string;
}

/** What a storage knows of one object. Frozen; what `put` returns is deep-equal to what `info` then returns. */
export interface StoredFile extends FileAttributes {
  /** The canonical key. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Opaque, never empty, without quotes; changes with the bytes, and with the attributes where `etagCoversAttributes`. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** The part of the object that is read, in bytes. */
export interface ResolvedRange {
  readonly offset: number;
  readonly length: number;
}

/** A Node stream of an object's bytes that also carries what is known of the object, from one snapshot. */
export type StoredFileStream = Readable & {
  readonly file: StoredFile;
  /** Set when a range was asked for: what of the object this stream is. `file.size` is always the full size. */
  readonly range?: ResolvedRange;
};

/**
 * An object that is wholly written, checked and safe, and that nobody can see yet.
 *
 * @example
 * await using staged = await storage.stage('report.pdf', stream);
 * await scan(staged.size);
 * const file = await staged.commit(); // without it, leaving the block removes every trace
 */
export interface StagedFile extends FileAttributes {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Makes the object visible in one short step; conditions are decided here. May be called once; a failed commit leaves no trace. */
  commit(): Promise<StoredFile>;
  /** Removes every trace. Nothing happens when it was committed or aborted before; where that has failed it is tried again. */
  abort(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One entry of a folder's view: an object, or a prefix that more keys begin with. */
export type ListEntry =
  { readonly kind: 'file'; readonly file: StoredFile } | { readonly kind: 'prefix'; readonly prefix: string };

/** What became of each key. A key that was missing counts as deleted. */
export interface DeleteReport {
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly key: string; readonly error: StorageError }[];
}

/** A request that a client can make to put one object without passing through the application. */
export type SignedUpload =
  | {
      readonly url: string;
      readonly method: 'PUT';
      readonly headers: Readonly<Record<string, string>>;
      readonly expiresAt: Date;
    }
  | {
      readonly url: string;
      readonly method: 'POST';
      readonly fields: Readonly<Record<string, string>>;
      readonly expiresAt: Date;
    };

/**
 * A frozen `StoredFile` with exactly its own fields, copied; for implementers of a backend. Call it for every file that is handed out, from a
 * cache too: a `Date` cannot be frozen, and whoever gets one may change it.
 *
 * @example
 * return freezeStoredFile({ ...options, key, size, etag, lastModified: new Date() });
 */
export function freezeStoredFile(file: StoredFile): StoredFile {
  const { key, size, etag, lastModified, metadata } = file;
  const copy: Mutable<StoredFile> = Object.assign(attributesOf(file), {
    key,
    size,
    etag,
    // a date cannot be frozen: each file has its own
    lastModified: new Date(lastModified),
  });
  // an own property each, also of "__proto__"
  if (!Object.isFrozen(metadata)) copy.metadata = Object.freeze(Object.fromEntries(Object.entries(metadata)));
  return Object.freeze(copy);
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/**
 * The attributes alone, of a file or of the options of a put, for implementers of a backend: what is to be written down beside the bytes.
 *
 * @example
 * const head = JSON.stringify(attributesOf(options));
 */
export function attributesOf(file: FileAttributes): FileAttributes {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = file;
  // by assignment: to spread a property costs half a microsecond, and this runs for every file that is told of
  const attributes: Mutable<FileAttributes> = { contentType, metadata };
  if (cacheControl !== undefined) attributes.cacheControl = cacheControl;
  if (contentDisposition !== undefined) attributes.contentDisposition = contentDisposition;
  if (contentEncoding !== undefined) attributes.contentEncoding = contentEncoding;
  return attributes;
}
