import type { StorageErrorCode } from '../contract/index.js';

/**
 * The HTTP status of each kind of storage failure, for a caller who asked for a key. Inside an upload the same failure can mean something
 * else (a disk that refuses is not the client's fault): the upload answers with exceptions of its own, which Nest handles.
 */
export const STORAGE_ERROR_STATUS = {
  FILE_NOT_FOUND: 404,
  FILE_EXISTS: 409,
  PRECONDITION_FAILED: 412,
  // Who is refused is this application: its user, its credentials. Not its client, who may be allowed all of this, and must not read why.
  PERMISSION_DENIED: 503,
  CONNECTION_FAILED: 503,
  INVALID_CONFIGURATION: 500,
  INVALID_KEY: 400,
  INVALID_ARGUMENT: 400,
  RANGE_NOT_SATISFIABLE: 416,
  INTEGRITY_FAILED: 422,
  QUOTA_EXCEEDED: 507,
  FILE_TOO_LARGE: 413,
  UNSUPPORTED_OPERATION: 501,
  TIMEOUT: 504,
  // whoever aborted is this application: the client is told that it may try again
  ABORTED: 503,
  SOURCE_FAILED: 500,
  STORAGE_CLOSED: 503,
  STORAGE_FAILURE: 500,
} as const satisfies Record<StorageErrorCode, number>;
