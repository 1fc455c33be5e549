import { ConfigurationError, InvalidKeyError, sanitizeKey, type StorageErrorCode } from '../contract/index.js';

/** What a check does: it writes a canary, reads it back and deletes it, or it only reads. */
export type StorageHealthMode = 'write' | 'read';

/** How one storage is checked. */
export interface StorageHealthOptions {
  /**
   * `write` (default) stores a few random bytes under a key that nobody else has, reads them back, compares them and deletes them. A storage that
   * takes no writes is down. `read` changes nothing. `auto` writes, and reads where the storage refuses every write (`ReadOnlyStorage`).
   */
  readonly mode?: StorageHealthMode | 'auto' | undefined;
  /**
   * An object that must be there: its first bytes are read, in every mode. Name one where a volume that is not mounted, or the bucket of somebody
   * else, must not pass for an empty storage.
   *
   * Without it `read` asks whether a key exists that nobody has, which a storage that cannot be reached fails to answer. (S3 answers it only to
   * who may list the bucket.)
   */
  readonly key?: string | undefined;
  /** Milliseconds until the check gives up and is down with `TIMEOUT`; its calls are aborted. 1 to 600,000; default 3,000. */
  readonly timeout?: number | undefined;
  /** What the canary's key begins with. Default `.health/`. What lies under it and has a canary's name belongs to the checks. */
  readonly canaryPrefix?: string | undefined;
  /** The name in the result. Default: the name of the storage. */
  readonly resultKey?: string | undefined;
}

/** How all storages are checked. */
export interface CheckAllOptions extends Omit<StorageHealthOptions, 'key' | 'resultKey'> {
  /** Names that are left out. */
  readonly except?: readonly string[] | undefined;
  /**
   * What holds for single storages, over the rest.
   *
   * @example
   * storages: { archive: { mode: 'read', key: 'index.json' } }
   */
  readonly storages?: Readonly<Record<string, StorageHealthOptions>> | undefined;
}

/** What is told of a storage beside its status: no key, no path, no message of a server. */
export interface StorageHealthReport {
  /** What was done. */
  readonly mode: StorageHealthMode;
  /** Milliseconds, whole ones, until the result was known. */
  readonly responseTime: number;
  /** Why it is down: the `code` of the StorageError. */
  readonly code?: StorageErrorCode;
}

/** Options without gaps. */
export interface ResolvedHealthOptions {
  readonly mode: StorageHealthMode | 'auto';
  readonly key: string | undefined;
  readonly timeout: number;
  readonly canaryPrefix: string;
}

/** In milliseconds. Far below {@link STALE_MS}, so that no canary of a check under way is ever taken for a leftover. */
const LONGEST_TIMEOUT_MS = 600_000;

/** How old a canary is, in milliseconds, when whoever wrote it must have died. */
export const STALE_MS = 3_600_000;

const DEFAULT_TIMEOUT_MS = 3_000;
const DEFAULT_PREFIX = '.health/';

const FIELDS = [
  'mode',
  'key',
  'timeout',
  'canaryPrefix',
  'resultKey',
] as const satisfies readonly (keyof StorageHealthOptions)[];

/** @throws ConfigurationError that names the option */
export function resolveHealthOptions(options: StorageHealthOptions): ResolvedHealthOptions {
  checkNames(options, FIELDS);
  const { mode = 'write', key, timeout = DEFAULT_TIMEOUT_MS, canaryPrefix = DEFAULT_PREFIX, resultKey } = options;
  if (!['write', 'read', 'auto'].includes(mode)) throw refusal('mode', "'write', 'read' or 'auto'");
  if (!Number.isSafeInteger(timeout) || timeout < 1 || timeout > LONGEST_TIMEOUT_MS) {
    throw refusal('timeout', `a whole number of milliseconds, from 1 to ${LONGEST_TIMEOUT_MS}`);
  }
  if (resultKey !== undefined && (typeof resultKey !== 'string' || resultKey === '')) {
    throw refusal('resultKey', 'a name');
  }
  if (key !== undefined) canonical('key', key, key);
  if (typeof canaryPrefix !== 'string' || canaryPrefix === '')
    throw refusal('canaryPrefix', "a text such as '.health/'");
  canonical('canaryPrefix', canaryPrefix, `${canaryPrefix}x`);
  return { mode, key, timeout, canaryPrefix };
}

/** @throws ConfigurationError that names the option */
export function checkAllNames(options: CheckAllOptions, known: readonly string[]): void {
  for (const ofOne of ['key', 'resultKey']) {
    if (ofOne in options) {
      throw refusal(ofOne, `said for one storage: checkAll({ storages: { archive: { ${ofOne}: ... } } })`);
    }
  }
  const { except = [], storages = {} } = options;
  if (!Array.isArray(except)) throw refusal('except', 'an array of names');
  for (const name of [...(except as readonly string[]), ...Object.keys(storages)]) {
    if (!known.includes(name)) {
      throw new ConfigurationError(
        `checkAll(): there is no storage ${JSON.stringify(name)}. Known names: ${known.map((each) => JSON.stringify(each)).join(', ')}.`,
        { storage: name },
      );
    }
  }
}

function checkNames(options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new ConfigurationError('StorageHealthIndicator: its options must be an object.');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new ConfigurationError(`StorageHealthIndicator: ${name} is not one of its options (${names.join(', ')}).`);
    }
  }
}

function canonical(option: string, value: unknown, key: unknown): void {
  try {
    if (typeof key !== 'string') throw new InvalidKeyError('A key must be a string.', 'type');
    sanitizeKey(key, { mode: 'strict' });
  } catch (error) {
    if (!(error instanceof InvalidKeyError)) throw error;
    throw new ConfigurationError(
      `StorageHealthIndicator: ${option} must be canonical, as a key is: ${JSON.stringify(value)} is not.`,
      { cause: error },
    );
  }
}

function refusal(option: string, expected: string): ConfigurationError {
  return new ConfigurationError(`StorageHealthIndicator: ${option} must be ${expected}.`);
}
