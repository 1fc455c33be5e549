import type { Checksum } from '../contract/index.js';
import { singleChecksum } from '../contract/options/single-checksum.js';

/** What a URL allows its holder: one method on one key of one storage until a moment, within bounds. */
export interface SignedRequest {
  /** `GET` stands for HEAD too. */
  readonly method: 'GET' | 'PUT' | 'POST';
  /** The registered name. */
  readonly storage: string;
  readonly key: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** `Content-Disposition` of the answer. */
  readonly disposition?: string | undefined;
  /** `Content-Type`: of the answer, or of the file that is sent. */
  readonly contentType?: string | undefined;
  /** What marks a URL that is good once, and tells it from every other. */
  readonly once?: string | undefined;
  /** Exact length in bytes. */
  readonly size?: number | undefined;
  /** Largest length in bytes. */
  readonly maxSize?: number | undefined;
  readonly checksum?: Checksum | undefined;
  readonly createOnly?: boolean | undefined;
}

/** What another version of this library signs must not mean something else to this one. */
const VERSION = 'nestjs-storages/1';

/**
 * What is signed: every field, each with its length before it, so that no two requests have the same bytes. A field that is not there differs from
 * one that is empty.
 */
export function canonicalBytes(request: SignedRequest): Buffer {
  const { method, storage, key, expires, checksum } = request;
  const [algorithm, digest] = singleChecksum(checksum) ?? [];
  const fields = [
    VERSION,
    method,
    storage,
    key,
    String(expires),
    request.disposition,
    request.contentType,
    request.once,
    request.size?.toString(),
    request.maxSize?.toString(),
    algorithm,
    digest,
    request.createOnly === true ? '' : undefined,
  ];
  return Buffer.from(
    fields.map((field) => (field === undefined ? '-' : `${Buffer.byteLength(field)}:${field}`)).join(','),
  );
}
