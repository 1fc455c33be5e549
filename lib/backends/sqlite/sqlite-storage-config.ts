import { resolve } from 'node:path';
import { ConfigurationError, type KeyMode } from '../../contract/index.js';

export interface SQLiteStorageConfig {
  /**
   * The database's file, or `:memory:`. Made if it is missing, its folder not; a relative one is resolved against the working directory at
   * construction. While it is open SQLite keeps its log beside it (`-wal`, `-shm`). A local disk: SQLite's locks do not hold on network file systems.
   */
  readonly filename: string;
  /** Several storages may share a file, each under a name of its own: letters, digits and `_`. Default `files`. */
  readonly tableName?: string | undefined;
  /** Bytes of the pieces in which larger bodies are kept, from 16 KiB to 16 MiB. An upload or download holds two of them. Default 512 KiB. */
  readonly chunkSize?: number | undefined;
  /** Largest body in bytes that is kept in its object's row, up to 1 MiB. Default 64 KiB. */
  readonly inlineSize?: number | undefined;
  /**
   * `full` (default): what was acknowledged is there after a power cut; puts that come together share the wait for the disk. `fast`: no
   * such wait; a put is still all or nothing and survives a killed process, but a power cut may take back the last ones.
   */
  readonly durability?: 'full' | 'fast' | undefined;
  /** Milliseconds to wait for another process that is writing, before a retryable `TimeoutError`. Default 5,000. */
  readonly busyTimeout?: number | undefined;
  /** The most bytes that all objects of this storage, stored and being uploaded, may have together. More is a `QuotaExceededError`. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** `sanitize` (default) makes a key canonical, `strict` refuses one that is not. */
  readonly keys?: KeyMode | undefined;
  /** Names the storage in errors until a module registers it. Default `sqlite`. */
  readonly name?: string | undefined;
}

/** The configuration with its defaults. */
export interface SQLiteSettings {
  /** Absolute, or `:memory:`. */
  readonly filename: string;
  /** As it was given, for messages. */
  readonly givenFilename: string;
  readonly tableName: string;
  readonly chunkSize: number;
  readonly inlineSize: number;
  readonly durable: boolean;
  readonly busyTimeout: number;
  readonly maxBytes: number | undefined;
  readonly keys: KeyMode | undefined;
  readonly name: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const FIELDS = {
  filename: true,
  tableName: true,
  chunkSize: true,
  inlineSize: true,
  durability: true,
  busyTimeout: true,
  maxBytes: true,
  keys: true,
  name: true,
} as const satisfies Record<keyof SQLiteStorageConfig, true>;

/** What SQLite and this package keep for themselves. */
const RESERVED = /^(?:sqlite_|nestjs_storages)/i;

/** @throws ConfigurationError that names the field */
export function checkSQLiteStorageConfig(config: SQLiteStorageConfig): SQLiteSettings {
  const given: unknown = config;
  if (typeof given !== 'object' || given === null) throw wrong('The settings', 'an object with at least a filename');
  for (const field of Object.keys(given)) {
    if (!Object.hasOwn(FIELDS, field)) {
      throw new ConfigurationError(
        `SQLiteStorage: ${field} is not one of its settings (${Object.keys(FIELDS).join(', ')}).`,
      );
    }
  }
  const {
    filename,
    tableName = 'files',
    durability,
    keys,
    name,
    ...numbers
  } = given as Record<keyof SQLiteStorageConfig, unknown>;
  if (typeof filename !== 'string' || filename === '' || filename.includes('\0')) {
    throw wrong('filename', "the path of a file, or ':memory:'");
  }
  if (typeof tableName !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(tableName) || RESERVED.test(tableName)) {
    throw wrong(
      'tableName',
      'an identifier: a letter or _, then at most 62 letters, digits and _; names that begin with sqlite_ or nestjs_storages are taken',
    );
  }
  if (durability !== undefined && durability !== 'full' && durability !== 'fast')
    throw wrong('durability', "'full' or 'fast'");
  if (keys !== undefined && keys !== 'sanitize' && keys !== 'strict') throw wrong('keys', "'sanitize' or 'strict'");
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw wrong('name', 'a string that is not empty');
  const { chunkSize, inlineSize, busyTimeout, maxBytes } = numbers;
  return Object.freeze({
    filename: filename === ':memory:' ? filename : resolve(filename),
    givenFilename: filename,
    tableName,
    chunkSize: wholeNumber('chunkSize', chunkSize, 16 * KIB, 16 * MIB, 'bytes') ?? 512 * KIB,
    inlineSize: wholeNumber('inlineSize', inlineSize, 0, MIB, 'bytes') ?? 64 * KIB,
    durable: durability !== 'fast',
    // SQLite's own limit is that of a C int
    busyTimeout: wholeNumber('busyTimeout', busyTimeout, 0, 2 ** 31 - 1, 'milliseconds') ?? 5000,
    maxBytes: wholeNumber('maxBytes', maxBytes, 0, Number.MAX_SAFE_INTEGER, 'bytes'),
    keys,
    name: name ?? 'sqlite',
  });
}

function wholeNumber(field: string, value: unknown, least: number, most: number, unit: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw wrong(field, `a whole number of ${unit}, from ${least} to ${most}`);
  }
  return value;
}

function wrong(field: string, expected: string): ConfigurationError {
  return new ConfigurationError(`SQLiteStorage: ${field} must be ${expected}.`);
}
