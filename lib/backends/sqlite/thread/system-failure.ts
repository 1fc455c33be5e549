import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { codeOf, TOO_MANY_FILES } from './driver.js';

/** Bytes of a write that is tried: two pages of the log. */
const TRIED_BYTES = 32 * 1024;

/** What SQLite says when a file cannot be opened, whatever the system said; and what that may have been. */
const OPENING = 'SQLITE_CANTOPEN';
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

/** What it says when a write fails, unless for ENOSPC. */
const WRITING = /^SQLITE_IOERR_(?:WRITE|FSYNC|DIR_FSYNC|TRUNCATE)$/;
const REFUSALS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** `EMFILE` or another name, where an error is one of the system's. */
export function errnoOf(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === 'ERR_DLOPEN_FAILED' && String(error).includes(TOO_MANY_FILES)) return 'EMFILE';
  // for which Node has no name
  if (error instanceof Error && 'errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT';
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Why SQLite could not open a file or write to it. It does not say, and better-sqlite3 shows no more: a quota looks like a broken disk, and too
 * many open files like a missing permission. So the system is asked again, by a file beside the database.
 *
 * @returns the name of an error; `undefined` where the system has nothing of the kind to object
 */
export function systemFailureBehind(code: string, filename: string): string | undefined {
  if (filename === ':memory:') return undefined;
  if (code.startsWith(OPENING)) return errnoOf(shortageOf(filename));
  if (!WRITING.test(code)) return undefined;
  return errnoOf(
    errorOf(REFUSALS, () => {
      tryWriting(filename);
    }),
  );
}

/** The error of a process that has too many files open. */
export function shortageOf(filename: string): Error | undefined {
  // Not the database's own file: to close it would give up the locks that other connections of this process have on it.
  return errorOf(SHORTAGES, () => {
    closeSync(openSync(dirname(filename), 'r'));
  });
}

/** @returns what an attempt fails with, where it is one of these errors */
function errorOf(errors: ReadonlySet<string>, attempt: () => void): Error | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error && errors.has(errnoOf(error) ?? '') ? error : undefined;
  }
}

function tryWriting(filename: string): void {
  const path = `${filename}.${randomBytes(6).toString('hex')}.tmp`;
  const fd = openSync(path, 'wx');
  try {
    const bytes = Buffer.alloc(TRIED_BYTES);
    for (let written = 0; written < bytes.length;)
      written += writeSync(fd, bytes, written, bytes.length - written, written);
    fsyncSync(fd);
  } finally {
    try {
      closeSync(fd);
    } finally {
      rmSync(path, { force: true });
    }
  }
}
