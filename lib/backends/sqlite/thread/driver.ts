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

const require = createRequire(import.meta.url);

/** @throws DriverMissing */
export function loadDriver(): Driver {
  try {
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

/** Opens a file, or tells that the driver is there but was not built for this Node. */
export function connect(driver: Driver, filename: string, timeout: number): Database {
  try {
    return new driver(filename, { timeout });
  } catch (error) {
    const unbuilt = codeOf(error) === 'ERR_DLOPEN_FAILED' || String(error).includes('bindings file');
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
