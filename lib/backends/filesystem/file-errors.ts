import {
  ConnectionError,
  FileTooLargeError,
  IntegrityError,
  PermissionError,
  QuotaExceededError,
  StorageError,
} from '../../contract/index.js';
import { errnoOf } from './disk.js';

/**
 * The storage error that stands for a failed system call. `ENOENT` is not here: whoever looks for an object knows that it is
 * missing, and anywhere else a missing file means that a stranger has removed what belongs to the storage.
 */
export function storageErrorOf(error: unknown): StorageError | undefined {
  const errno = errnoOf(error);
  // The system's own message holds the path: it stays in the cause.
  const options = { cause: error };
  switch (errno) {
    case undefined:
      return undefined;
    case 'ENOSPC':
    case 'EDQUOT':
      return new QuotaExceededError(`There is no room left on the disk (${errno}).`, options);
    case 'EFBIG':
      return new FileTooLargeError(
        `The file is larger than the file system or a limit of the process allows (${errno}).`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PermissionError(`The file system refuses this process (${errno}).`, options);
    case 'EMFILE':
    case 'ENFILE':
      return new ConnectionError(
        `Too many files are open (${errno}): raise the limit, or keep fewer streams open.`,
        options,
      );
    case 'ENOMEM':
    case 'EAGAIN':
    case 'EBUSY':
    case 'EINTR':
    case 'ESTALE':
    case 'ETIMEDOUT':
      return new ConnectionError(`The file system is not available at the moment (${errno}).`, options);
    case 'EXDEV':
      return new StorageError(
        'The object lies on another file system, which is mounted below the root, or in another quota project: it can be read and deleted, not ' +
          'replaced (EXDEV).',
        options,
      );
    case 'ENOENT':
      return new StorageError('A file or folder of the storage was removed by someone else meanwhile (ENOENT).', {
        ...options,
        retryable: true,
      });
    default:
      return new StorageError(`The file system failed (${errno}).`, options);
  }
}

/** A file that became shorter while it was read: someone else has cut it. */
export function truncatedWhileRead(key: string): IntegrityError {
  return new IntegrityError('The file was cut short by someone else while it was read.', { key });
}

/** Fewer bytes on the disk than were written. */
export function truncatedWhileWritten(written: number, stored: bigint): IntegrityError {
  return new IntegrityError(`Of ${written} bytes ${stored.toString()} were stored.`);
}
