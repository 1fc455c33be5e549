import { PreconditionFailedError, RangeNotSatisfiableError } from './errors/index.js';
import type { ByteRange, ResolvedGetOptions } from './options/options.js';
import type { ResolvedRange, StoredFile } from './stored-file.js';

/**
 * Decides a read, for the hooks of a backend: the conditions first, then the range, in the order of RFC 9110, section 13.2.2.
 *
 * @returns the part to read, or `undefined` for the whole object
 * @throws {@link PreconditionFailedError}, {@link RangeNotSatisfiableError}
 */
export function resolveRead(file: StoredFile, options: ResolvedGetOptions): ResolvedRange | undefined {
  checkReadConditions(file, options);
  return options.range === undefined ? undefined : resolveRange(options.range, file.size);
}

/** @throws {@link PreconditionFailedError} when `ifMatch` or `ifNoneMatch` does not hold for this version */
export function checkReadConditions(file: StoredFile, options: ResolvedGetOptions): void {
  if (options.ifMatch !== undefined && options.ifMatch !== file.etag) {
    throw new PreconditionFailedError('The file is another version than ifMatch names.', { key: file.key });
  }
  if (options.ifNoneMatch !== undefined && options.ifNoneMatch === file.etag) {
    throw new PreconditionFailedError('The file is still the version that ifNoneMatch names.', { key: file.key });
  }
}

/**
 * A range within an object of `size` bytes, clamped to its end (RFC 9110, section 14.1.2). An empty object satisfies none, as in S3.
 *
 * @throws {@link RangeNotSatisfiableError} with the size
 */
export function resolveRange(range: ByteRange, size: number): ResolvedRange {
  if (range.suffix !== undefined) {
    if (size === 0) throw new RangeNotSatisfiableError(size);
    const length = Math.min(range.suffix, size);
    return { offset: size - length, length };
  }
  if (range.offset >= size) throw new RangeNotSatisfiableError(size);
  return { offset: range.offset, length: Math.min(range.length ?? Infinity, size - range.offset) };
}
