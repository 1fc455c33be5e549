import { HttpException } from '@nestjs/common';
import { StorageError, type StorageErrorCode } from '../../contract/index.js';
import { UploadException, type RefusedUpload, type UploadErrorCode } from './upload-exception.js';

interface Answer {
  readonly status: number;
  readonly code: UploadErrorCode;
  /** Left out: the error's own message, which names a key or a limit that the client may know. */
  readonly message?: string;
}

const failed: Answer = { status: 500, code: 'STORAGE_FAILURE', message: 'The storage failed to take the file.' };
const misconfigured: Answer = {
  status: 500,
  code: 'STORAGE_FAILURE',
  message: 'The server is not set up to take this upload.',
};
const unavailable: Answer = {
  status: 503,
  code: 'STORAGE_UNAVAILABLE',
  message: 'The storage is not available at the moment.',
};

/**
 * What the client is told when a storage refuses a file. Only what the client's own request decides (the key, the condition, the
 * size) is a 4xx; a disk's or a server's refusal is a 5xx, also where the same error would be the caller's fault elsewhere.
 */
const ANSWERS: Readonly<Record<StorageErrorCode, Answer>> = {
  FILE_EXISTS: { status: 409, code: 'FILE_EXISTS' },
  PRECONDITION_FAILED: { status: 412, code: 'PRECONDITION_FAILED' },
  INVALID_KEY: { status: 400, code: 'INVALID_KEY' },
  INVALID_ARGUMENT: { status: 400, code: 'INVALID_ARGUMENT' },
  FILE_TOO_LARGE: { status: 413, code: 'LIMIT_FILE_SIZE' },
  QUOTA_EXCEEDED: { status: 507, code: 'STORAGE_FULL', message: 'There is no room for the file in the storage.' },
  PERMISSION_DENIED: unavailable,
  CONNECTION_FAILED: unavailable,
  STORAGE_CLOSED: unavailable,
  TIMEOUT: { status: 504, code: 'STORAGE_TIMEOUT', message: 'The storage took too long to take the file.' },
  // these are the server's: of a checksum nobody was asked, and no option came from the client
  INTEGRITY_FAILED: failed,
  FILE_NOT_FOUND: failed,
  RANGE_NOT_SATISFIABLE: failed,
  UNSUPPORTED_OPERATION: failed,
  INVALID_CONFIGURATION: misconfigured,
  ABORTED: failed,
  SOURCE_FAILED: failed,
  STORAGE_FAILURE: failed,
};

/**
 * The answer to a failure inside an upload. An `HttpException` (thrown by a `key` function, say) is its own answer; so is whatever
 * else an application's function throws, which Nest answers with 500.
 *
 * @param about the file that the storage has refused
 */
export function answerTo(failure: unknown, about: RefusedUpload = {}): unknown {
  if (failure instanceof HttpException || !(failure instanceof StorageError)) return failure;
  // a backend of somebody else's may have codes of its own
  const { status, code, message } = Object.hasOwn(ANSWERS, failure.code) ? ANSWERS[failure.code] : failed;
  return new UploadException(status, code, message ?? failure.message, { ...about, cause: failure });
}
