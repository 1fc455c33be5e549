import { createRequire } from 'node:module';

/** A prepared statement, with the form of its rows. */
export interface Statement<Row> {
  run(...parameters: readonly Value[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  get(...parameters: readonly Value[]): Row | undefined;
  all(...parameters: readonly Value[]): Row[];
  /** Rows become the values of their first columns. */
  pluck(): unknown;
  iterate(...parameters: readonly Value[]): IterableIterator<Row>;
}

export type Value = string | number | Uint8Array | null;

/** What is used of better-sqlite3. Its own types are not: whoever installs this package need not have them. */
export interface Database {
  readonly inTransaction: boolean;
  prepare<Row>(sql: string): Statement<Row>;
  exec(sql: string): unknown;
  pragma(sql: string, options?: { readonly simple?: boolean }): unknown;
  backup(
    destination: string,
    options: {
      readonly progress: (progress: { readonly totalPages: number; readonly remainingPages: number }) => number;
    },
  ): Promise<unknown>;
  close(): unknown;
}

export type Driver = new (
  filename: string,
  options: { readonly timeout: number; readonly fileMustExist?: boolean },
) => Database;

/** better-sqlite3 cannot be loaded. The message says what to do. */
export class DriverMissing extends Error {
  override readonly name = 'DriverMissing';
}

/** What the loader of libraries says, in words only. */
export const TOO_MANY_FILES = 'Too many open files';

const require = createRequire(import.meta.url);

/** @throws DriverMissing */
export function loadDriver(): Driver {
  try {
    const why = whyNotHere(installedVersion(), process.versions['napi']);
    if (why !== undefined) throw new DriverMissing(why);
    return require('better-sqlite3') as Driver;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new DriverMissing('SQLiteStorage needs the package better-sqlite3: npm install better-sqlite3', {
        cause: error,
      });
    }
    throw error;
  }
}

/** `undefined` where there is no package, which its loading will tell, or no description in it. */
function installedVersion(): string | undefined {
  try {
    return (require('better-sqlite3/package.json') as { readonly version?: string }).version;
  } catch {
    return undefined;
  }
}

/**
 * Version 13 is built for the tenth version of Node-API, and asks for no more than Node 22: on an older one it ends the process (SIGSEGV).
 *
 * @param napi as `process.versions` has it
 */
export function whyNotHere(version: string | undefined, napi: string | undefined): string | undefined {
  if (version === undefined || Number.parseInt(version, 10) < 13 || Number(napi) >= 10) return undefined;
  return `SQLiteStorage: better-sqlite3 ${version} needs Node 22.14 or later: npm install better-sqlite3@12`;
}

/** Opens a file, or tells that the driver is there but was not built for this Node. */
export function connect(driver: Driver, filename: string, timeout: number): Database {
  try {
    return new driver(filename, { timeout });
  } catch (error) {
    const words = String(error);
    const unbuilt = codeOf(error) === 'ERR_DLOPEN_FAILED' || words.includes('bindings file');
    // it is there, and could not be read
    if (words.includes(TOO_MANY_FILES)) throw error;
    if (!unbuilt) throw error;
    throw new DriverMissing(
      'SQLiteStorage: better-sqlite3 is installed but has no binary for this version of Node: npm rebuild better-sqlite3',
      { cause: error },
    );
  }
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
