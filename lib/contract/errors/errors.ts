import { StorageError, type StorageErrorCode, type StorageErrorOptions } from './storage-error.js';

const quoted = (key: string | undefined): string => (key === undefined ? '' : ` ${JSON.stringify(key)}`);

/** There is no object under the key. */
export class FileNotFoundError extends StorageError {
  override readonly name = 'FileNotFoundError';
  override readonly code = 'FILE_NOT_FOUND';

  constructor(key: string, options: StorageErrorOptions = {}) {
    super(`There is no file${quoted(key)} in this storage.`, { ...options, key });
  }
}

/** A condition (`ifMatch`, `ifNoneMatch`) did not hold; nothing was changed. */
export class PreconditionFailedError extends StorageError {
  override readonly name: string = 'PreconditionFailedError';
  override readonly code: StorageErrorCode = 'PRECONDITION_FAILED';

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, options);
  }
}

/** A create-only write (`ifNoneMatch: '*'`) found an object under the key; that object is as it was. */
export class FileExistsError extends PreconditionFailedError {
  override readonly name = 'FileExistsError';
  override readonly code = 'FILE_EXISTS';

  constructor(key: string, options: StorageErrorOptions = {}) {
    super(`There is a file${quoted(key)} already, and the write was to create it only.`, { ...options, key });
  }
}

/** The storage refused this process: file permissions, credentials, a policy. A client is answered 503, and not told why. */
export class PermissionError extends StorageError {
  override readonly name = 'PermissionError';
  override readonly code = 'PERMISSION_DENIED';
}

/** The storage could not be reached, or broke off. Retryable unless said otherwise. */
export class ConnectionError extends StorageError {
  override readonly name = 'ConnectionError';
  override readonly code = 'CONNECTION_FAILED';

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { retryable: true, ...options });
  }
}

/** A setting is missing or wrong. The message names the field. */
export class ConfigurationError extends StorageError {
  override readonly name = 'ConfigurationError';
  override readonly code = 'INVALID_CONFIGURATION';
}

/** The rules a key can break. */
export type InvalidKeyRule = 'type' | 'empty' | 'control-character' | 'lone-surrogate' | 'too-long' | 'not-canonical';

/** A key that no storage takes. `rule` and the message say which rule it breaks. */
export class InvalidKeyError extends StorageError {
  override readonly name = 'InvalidKeyError';
  override readonly code = 'INVALID_KEY';
  readonly rule: InvalidKeyRule;

  constructor(message: string, rule: InvalidKeyRule, options: StorageErrorOptions = {}) {
    super(message, options);
    this.rule = rule;
  }
}

/** An argument that can't be meant. The message names it and says what is allowed. */
export class InvalidArgumentError extends StorageError {
  override readonly name = 'InvalidArgumentError';
  override readonly code = 'INVALID_ARGUMENT';
}

/** A range that starts at or past the end of the object. `size` is the object's size in bytes (RFC 9110, section 15.5.17). */
export class RangeNotSatisfiableError extends StorageError {
  override readonly name = 'RangeNotSatisfiableError';
  override readonly code = 'RANGE_NOT_SATISFIABLE';
  readonly size: number;

  constructor(size: number, options: StorageErrorOptions = {}) {
    super(`The range starts at or past the end of the file, which has ${size} bytes.`, options);
    this.size = size;
  }
}

/** The bytes are not those that were declared (length, checksum) or stored. Nothing was stored. */
export class IntegrityError extends StorageError {
  override readonly name = 'IntegrityError';
  override readonly code = 'INTEGRITY_FAILED';
}

/** There is no room: disk full, quota or `maxBytes` reached. Retryable: room may be made. */
export class QuotaExceededError extends StorageError {
  override readonly name = 'QuotaExceededError';
  override readonly code = 'QUOTA_EXCEEDED';

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { retryable: true, ...options });
  }
}

/** The object is larger than this storage, or this upload, takes. */
export class FileTooLargeError extends StorageError {
  override readonly name = 'FileTooLargeError';
  override readonly code = 'FILE_TOO_LARGE';
}

/** The storage does not declare this in its `capabilities`. Refused before any I/O. */
export class UnsupportedOperationError extends StorageError {
  override readonly name = 'UnsupportedOperationError';
  override readonly code = 'UNSUPPORTED_OPERATION';
}

/** The call took longer than allowed, by the storage or by an `AbortSignal.timeout()`. Retryable. */
export class TimeoutError extends StorageError {
  override readonly name = 'TimeoutError';
  override readonly code = 'TIMEOUT';

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { retryable: true, ...options });
  }
}

/** The caller's `signal` was aborted. `cause` is the signal's reason. */
export class AbortError extends StorageError {
  override readonly name = 'AbortError';
  override readonly code = 'ABORTED';
}

/** The source of a `put` or `stage` failed or ended before its time; nothing was stored. `cause` is the source's own error. */
export class SourceError extends StorageError {
  override readonly name = 'SourceError';
  override readonly code = 'SOURCE_FAILED';
}

/** The storage was closed before this call. */
export class StorageClosedError extends StorageError {
  override readonly name = 'StorageClosedError';
  override readonly code = 'STORAGE_CLOSED';

  constructor(options: StorageErrorOptions = {}) {
    super('The storage is closed. Calls after close() are refused.', options);
  }
}
