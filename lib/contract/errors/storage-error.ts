/** The public methods of a storage, as they stand in {@link StorageError.operation}. */
export type StorageOperation =
  | 'open'
  | 'put'
  | 'stage'
  | 'commit'
  | 'abort'
  | 'get'
  | 'getBytes'
  | 'delete'
  | 'deleteMany'
  | 'deletePrefix'
  | 'exists'
  | 'list'
  | 'listEntries'
  | 'url'
  | 'uploadUrl'
  | 'copy'
  | 'move'
  | 'info'
  | 'close';

/** Stable names of the kinds of failure. They never change within a major version; messages may. */
export type StorageErrorCode =
  | 'STORAGE_FAILURE'
  | 'FILE_NOT_FOUND'
  | 'FILE_EXISTS'
  | 'PRECONDITION_FAILED'
  | 'PERMISSION_DENIED'
  | 'CONNECTION_FAILED'
  | 'INVALID_CONFIGURATION'
  | 'INVALID_KEY'
  | 'INVALID_ARGUMENT'
  | 'RANGE_NOT_SATISFIABLE'
  | 'INTEGRITY_FAILED'
  | 'QUOTA_EXCEEDED'
  | 'FILE_TOO_LARGE'
  | 'UNSUPPORTED_OPERATION'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'SOURCE_FAILED'
  | 'STORAGE_CLOSED';

/** Where a failure happened. */
export interface StorageErrorContext {
  /** The method that was called. */
  readonly operation?: StorageOperation | undefined;
  /** The registered name of the storage, or its class's own short name outside a module. */
  readonly storage?: string | undefined;
  /** The canonical key, where the failure concerns one. */
  readonly key?: string | undefined;
}

export interface StorageErrorOptions extends StorageErrorContext {
  /** Whether the same call may succeed later without any change by the caller. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/**
 * What every storage method rejects with. Test `code` (stable) rather than the class where more than one copy of the package or
 * more than one realm may be in play.
 *
 * The message tells a stranger what to change; it holds no path of the machine, no credential and no signature. `cause` may.
 *
 * @example
 * try {
 *   await storage.getBytes('invoice.pdf');
 * } catch (error) {
 *   if (error instanceof StorageError && error.code === 'FILE_NOT_FOUND') return undefined;
 *   throw error;
 * }
 */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
  readonly code: StorageErrorCode = 'STORAGE_FAILURE';
  readonly operation: StorageOperation | undefined;
  readonly storage: string | undefined;
  readonly key: string | undefined;
  /** Whether the same call may succeed later without any change by the caller (a lost connection, a busy disk). */
  readonly retryable: boolean;

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.operation = options.operation;
    this.storage = options.storage;
    this.key = options.key;
    this.retryable = options.retryable ?? false;
  }

  /** Fills in what the place that made this error did not know. What is already set stays. */
  withContext(context: StorageErrorContext): this {
    const mutable = this as { -readonly [K in keyof StorageErrorContext]: StorageErrorContext[K] };
    mutable.operation ??= context.operation;
    mutable.storage ??= context.storage;
    mutable.key ??= context.key;
    return this;
  }
}
