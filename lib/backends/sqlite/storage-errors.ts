import {
  ConfigurationError,
  ConnectionError,
  FileExistsError,
  FileNotFoundError,
  FileTooLargeError,
  IntegrityError,
  PermissionError,
  PreconditionFailedError,
  QuotaExceededError,
  StorageError,
  TimeoutError,
} from '../../contract/index.js';
import type { Failure, Refusal } from './protocol.js';

/** A change that the database refused. Which key it was about only its caller knows. */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** What a thread's failure is for the storage. */
export function errorOf(failure: Failure, filename: string): Error {
  switch (failure.kind) {
    case 'refused':
      return new ChangeRefused(failure.refusal);
    case 'setting':
      return new ConfigurationError(failure.message);
    case 'denied':
      return new PermissionError(failure.message);
    case 'sqlite': {
      const { code, message, errno = '', elsewhere } = failure;
      const on = elsewhere?.given ?? filename;
      const cause = Object.assign(new Error(message), { code });
      return systemErrorOf(errno, on, cause) ?? sqliteErrorOf(code, on, cause);
    }
    case 'system': {
      const { errno, message, elsewhere } = failure;
      const on = elsewhere?.given ?? filename;
      const cause = Object.assign(new Error(message), { code: errno });
      return systemErrorOf(errno, on, cause) ?? threadFailed(cause);
    }
    case 'other':
      return threadFailed(new Error(failure.stack === '' ? failure.message : failure.stack));
  }
}

function threadFailed(cause: Error): StorageError {
  return new StorageError('The thread of the database failed; its own error is the cause.', { cause });
}

/** @returns `undefined` for a failure that says no more than what was tried when it happened */
export function systemErrorOf(errno: string, filename: string, cause: unknown): StorageError | undefined {
  const options = { cause };
  switch (errno) {
    case 'EMFILE':
    case 'ENFILE':
      return new ConnectionError(
        `Too many files are open (${errno}): raise the limit, or keep fewer streams open.`,
        options,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new QuotaExceededError(`There is no room left for ${JSON.stringify(filename)} (${errno}).`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PermissionError(
        `This process may not write to ${JSON.stringify(filename)} or to its folder (${errno}).`,
        options,
      );
    default:
      return undefined;
  }
}

/** @throws the storage error for a refusal; any other error as it is */
export function throwRefusal(error: unknown, about: { readonly key: string; readonly source?: string }): never {
  if (!(error instanceof ChangeRefused)) throw error;
  const { key, source } = about;
  switch (error.refusal) {
    case 'exists':
      throw new FileExistsError(key);
    case 'missing':
      throw new FileNotFoundError(source ?? key);
    case 'no-version':
      throw new PreconditionFailedError('There is no file to match ifMatch names.', { key });
    case 'other-version':
      throw new PreconditionFailedError('The file is another version than ifMatch names.', { key });
    case 'no-room':
      throw new QuotaExceededError('The storage is full: it holds at most as many bytes as maxBytes allows.', { key });
    case 'upload-lost':
      throw new StorageError(
        'What was uploaded was given up meanwhile: its owner was taken for dead. Upload it again.',
        {
          key,
          retryable: true,
        },
      );
  }
}

/** https://www.sqlite.org/rescode.html */
function sqliteErrorOf(code: string, filename: string, cause: Error): StorageError {
  const name = JSON.stringify(filename);
  const options = { cause };
  const [, primary = ''] = /^SQLITE_([A-Z]+)/.exec(code) ?? [];
  switch (primary) {
    case 'BUSY':
    case 'LOCKED':
      return new TimeoutError(
        `Another process or storage was writing to ${name} for longer than busyTimeout allows (${code}).`,
        options,
      );
    case 'FULL':
      return new QuotaExceededError(`There is no room left for ${name} (${code}).`, options);
    case 'TOOBIG':
      return new FileTooLargeError(`SQLite takes no value of that size (${code}).`, options);
    case 'CORRUPT':
      // SQLite itself takes a read that fails (EIO) for damage
      return new IntegrityError(
        `The database ${name} is damaged (${code}), or its disk cannot be read: look at the disk, and restore a backup.`,
        options,
      );
    case 'NOTADB':
      return new ConfigurationError(`SQLiteStorage: ${name} is not an SQLite database, or an encrypted one.`, options);
    case 'READONLY':
      return new PermissionError(`This process may not write to ${name} or to its folder (${code}).`, options);
    case 'CANTOPEN':
    case 'PERM':
    case 'AUTH':
      return new PermissionError(`The system does not let this process open ${name} (${code}).`, options);
    case 'IOERR':
      return ioErrorOf(code, name, options);
    default:
      return new StorageError(`SQLite failed on ${name} (${code}).`, options);
  }
}

function ioErrorOf(code: string, name: string, options: { readonly cause: unknown }): StorageError {
  // the shared memory of the log is a file too, and the first to find no room
  if (code === 'SQLITE_IOERR_SHMSIZE')
    return new QuotaExceededError(`There is no room left for ${name} (${code}).`, options);
  if (code === 'SQLITE_IOERR_NOMEM')
    return new ConnectionError(`There is no memory left for ${name} (${code}).`, options);
  return new StorageError(`The disk failed under ${name} (${code}).`, options);
}
