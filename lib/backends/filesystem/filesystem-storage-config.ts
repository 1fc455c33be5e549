import { resolve } from 'node:path';
import { ConfigurationError, type KeyMode } from '../../contract/index.js';

export interface FileSystemStorageConfig {
  /** The folder that holds the objects. Made if it is missing; a relative one is resolved against the working directory at construction. */
  readonly root: string;
  /**
   * `full` (default): what was acknowledged is there after a power cut, at the price of two or more fsyncs per put. `fast`: no fsync;
   * a put is still all or nothing for every reader and for every killed process, but a power cut may lose or truncate what was
   * acknowledged shortly before.
   */
  readonly durability?: 'full' | 'fast' | undefined;
  /**
   * Takes the root for this storage alone: a second one, in this process or another, is refused when it opens. Locks are then in
   * memory only, which saves about a quarter of a small `fast` put. Default false.
   */
  readonly exclusive?: boolean | undefined;
  /** Where a web server shows the root, e.g. `https://cdn.example/files`. `url()` then gives working URLs. */
  readonly baseUrl?: string | undefined;
  /** Permission bits of files, exactly as given whatever the umask is. Default `0o644` less the umask. */
  readonly fileMode?: number | undefined;
  /** Permission bits of folders, exactly as given whatever the umask is. Default `0o755` less the umask. */
  readonly directoryMode?: number | undefined;
  /** `sanitize` (default) makes a key canonical, `strict` refuses one that is not. */
  readonly keys?: KeyMode | undefined;
  /** Names the storage in errors until a module registers it. Default `filesystem`. */
  readonly name?: string | undefined;
}

/** The configuration with its defaults. */
export interface FileSystemSettings {
  /** Absolute. */
  readonly root: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  /** Without a slash at its end. */
  readonly baseUrl: string | undefined;
  readonly fileMode: number | undefined;
  readonly directoryMode: number | undefined;
  readonly keys: KeyMode | undefined;
  readonly name: string;
}

const FIELDS = {
  root: true,
  durability: true,
  exclusive: true,
  baseUrl: true,
  fileMode: true,
  directoryMode: true,
  keys: true,
  name: true,
} as const satisfies Record<keyof FileSystemStorageConfig, true>;

/** @throws ConfigurationError that names the field */
export function checkFileSystemStorageConfig(config: FileSystemStorageConfig): FileSystemSettings {
  const given: unknown = config;
  if (typeof given !== 'object' || given === null) throw wrong('The settings', 'an object with at least a root');
  for (const field of Object.keys(given)) {
    if (!Object.hasOwn(FIELDS, field)) {
      throw new ConfigurationError(
        `FileSystemStorage: ${field} is not one of its settings (${Object.keys(FIELDS).join(', ')}).`,
      );
    }
  }
  const { root, durability, exclusive, baseUrl, fileMode, directoryMode, keys, name } = given as Record<
    keyof FileSystemStorageConfig,
    unknown
  >;
  if (typeof root !== 'string' || root === '' || root.includes('\0')) throw wrong('root', 'the path of a folder');
  if (durability !== undefined && durability !== 'full' && durability !== 'fast')
    throw wrong('durability', "'full' or 'fast'");
  if (exclusive !== undefined && typeof exclusive !== 'boolean') throw wrong('exclusive', 'true or false');
  if (keys !== undefined && keys !== 'sanitize' && keys !== 'strict') throw wrong('keys', "'sanitize' or 'strict'");
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw wrong('name', 'a string that is not empty');
  return Object.freeze({
    root: resolve(root),
    durable: durability !== 'fast',
    exclusive: exclusive === true,
    baseUrl: checkBaseUrl(baseUrl),
    // The storage itself must be able to read and write what it makes.
    fileMode: checkMode('fileMode', fileMode, 0o600),
    directoryMode: checkMode('directoryMode', directoryMode, 0o700),
    keys,
    name: name ?? 'filesystem',
  });
}

function checkMode(field: string, mode: unknown, least: number): number | undefined {
  if (mode === undefined) return undefined;
  if (typeof mode !== 'number' || !Number.isInteger(mode) || mode < 0 || mode > 0o777 || (mode & least) !== least) {
    throw wrong(
      field,
      `permission bits from 0 to 0o777 that include 0o${least.toString(8)}, such as 0o${least === 0o600 ? '640' : '750'}`,
    );
  }
  return mode;
}

function checkBaseUrl(baseUrl: unknown): string | undefined {
  if (baseUrl === undefined) return undefined;
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl) || /[?#]/.test(baseUrl)) {
    throw wrong('baseUrl', 'an absolute URL without query and fragment, such as https://cdn.example/files');
  }
  return baseUrl.replace(/\/+$/, '');
}

function wrong(field: string, expected: string): ConfigurationError {
  return new ConfigurationError(`FileSystemStorage: ${field} must be ${expected}.`);
}
