/**
 * What a storage can do, and its limits. A call that needs more is refused with an `UnsupportedOperationError` before any I/O;
 * nothing is ever ignored in silence.
 */
export interface Capabilities {
  /** `none`: `url()` gives a pseudo-URL; `public`: a working URL for ever; `signed`: also one that expires. */
  readonly urls: 'none' | 'public' | 'signed';
  /** Whether `uploadUrl()` works. */
  readonly uploadUrls: boolean;
  /** Whether `url()` takes `once`. */
  readonly oneTimeUrls: boolean;
  /** `native`: staged bytes lie where they will be committed; `spooled`: in a local temporary file until the commit. */
  readonly stage: 'native' | 'spooled';
  /** Whether `ifNoneMatch: '*'` is decided by the backend at the commit. */
  readonly createOnly: boolean;
  /** Whether `ifMatch` on `put`, `stage` and `delete` is decided by the backend at the commit. */
  readonly compareAndSwap: boolean;
  /** Whether `copy` and `move` take `ifNoneMatch: '*'`. */
  readonly conditionalCopy: boolean;
  /** Whether the etag changes when only the attributes do. */
  readonly etagCoversAttributes: boolean;
  /**
   * `exact`: `put`, `copy` and `list` tell the `lastModified` that `info` tells. `seconds`: it may differ by two seconds, since the backend tells
   * it in whole seconds and on reading only.
   */
  readonly lastModified: 'exact' | 'seconds';
  /** Whether `list` knows the attributes of what it yields. Else their `contentType` is that of the key's extension, and `metadata` is empty. */
  readonly listsAttributes: boolean;
  /** Whether objects outlive the process. */
  readonly persistent: boolean;
  /** Longest key, in UTF-8 bytes. */
  readonly maxKeyBytes: number;
  /** Largest metadata, in bytes of names and percent-encoded values together. */
  readonly maxMetadataBytes: number;
  /** Largest object, in bytes. */
  readonly maxSize: number;
  /** Largest object that is put, staged or copied under a condition, in bytes; one that proves larger is refused before any of it is stored. */
  readonly maxConditionalSize: number;
}

/** The limit of a key in UTF-8 bytes, the same on every backend (S3's own). */
export const MAX_KEY_BYTES = 1024;

/** The limit of metadata in bytes, names and percent-encoded values together, the same on every backend (S3's own). */
export const MAX_METADATA_BYTES = 2048;

/**
 * Capabilities of a backend that says nothing: no URLs, no conditions, spooled stage, not persistent.
 *
 * @example
 * override readonly capabilities = defineCapabilities({ persistent: true, createOnly: true });
 */
export function defineCapabilities(declared: Partial<Capabilities> = {}): Capabilities {
  return Object.freeze({
    urls: 'none',
    uploadUrls: false,
    oneTimeUrls: false,
    stage: 'spooled',
    createOnly: false,
    compareAndSwap: false,
    conditionalCopy: false,
    etagCoversAttributes: false,
    lastModified: 'exact',
    listsAttributes: true,
    persistent: false,
    maxKeyBytes: MAX_KEY_BYTES,
    maxMetadataBytes: MAX_METADATA_BYTES,
    maxSize: Number.MAX_SAFE_INTEGER,
    maxConditionalSize: Number.MAX_SAFE_INTEGER,
    ...declared,
  } satisfies Capabilities);
}
