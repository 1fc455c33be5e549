import { Controller, Get, Inject, Req, UseGuards, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import {
  ConfigurationError,
  FileNotFoundError,
  InvalidKeyError,
  sanitizeKey,
  type Storage,
} from '../contract/index.js';
import { storedFile, type StoredFileAnswer } from '../download/index.js';
import { checkStoredFileOptions } from '../download/stored-file.js';
import type { WildcardRoute } from '../platform/wildcard-path.js';
import { askForStorage } from '../registry/named-in-code.js';
import { getStorageToken } from '../registry/index.js';
import { ScopedStorage } from '../wrappers/index.js';
import type { ServeStorageOptions } from './serve-storage-options.interface.js';

/** The rest of a path on Express: no name that the application's own part of the path has. */
export const WILDCARD = 'storedFileKey';

/** What Express (segments, decoded) and Fastify (decoded) have for the rest of a path. */
export interface WildcardRequest {
  readonly params: { readonly [WILDCARD]?: string | readonly string[]; readonly '*'?: string };
}

/**
 * A controller as an application would write it: guards, interceptors, filters and the global prefix are Nest's own affair.
 *
 * @throws ConfigurationError, InvalidArgumentError that name the option
 */
export function serveStorageController(options: ServeStorageOptions, { paths }: WildcardRoute): Type {
  check(options);
  const { path, storage: name, prefix, index, guards = [], decorators = [], imports: _imports, ...answered } = options;
  checkStoredFileOptions(answered);
  if (name !== undefined) askForStorage(name);

  @Controller({ path, version: VERSION_NEUTRAL })
  class ServedFiles {
    readonly #storage: Storage;

    constructor(@Inject(getStorageToken(name)) storage: Storage) {
      this.#storage = prefix === undefined ? storage : new ScopedStorage(storage, prefix);
    }

    @Get(paths)
    read(@Req() { params }: WildcardRequest): StoredFileAnswer {
      const rest = params[WILDCARD] ?? params['*'] ?? '';
      return storedFile(this.#storage, keyOf(typeof rest === 'string' ? rest : rest.join('/'), index), answered);
    }
  }
  for (const decorator of [UseGuards(...guards), ...decorators]) decorator(ServedFiles);
  return ServedFiles;
}

/**
 * A path stands for the key that is spelled like it: `a/../b`, `a//b` and `a\b` are no files, so that what a guard, a cache or a log has seen is what is
 * sent.
 *
 * @throws FileNotFoundError also for what can be no key
 */
function keyOf(path: string, index: string | undefined): string {
  const key = index !== undefined && (path === '' || path.endsWith('/')) ? `${path}${index}` : path;
  try {
    return sanitizeKey(key, { mode: 'strict' });
  } catch (error) {
    if (!(error instanceof InvalidKeyError)) throw error;
    throw new FileNotFoundError('There is no such file.', { cause: error });
  }
}

function check(options: ServeStorageOptions): void {
  const { path, prefix, index, guards, decorators } = options as Partial<Record<keyof ServeStorageOptions, unknown>>;
  const wrong = (what: string): ConfigurationError => new ConfigurationError(`StorageModule.serveStorage(): ${what}.`);
  if (typeof path !== 'string') throw wrong("path must be a string, such as 'files'");
  if (path.includes('*')) throw wrong('path must have no wildcard; every path below it is served');
  if (prefix !== undefined && typeof prefix !== 'string') throw wrong('prefix must be a string');
  if (index !== undefined && (typeof index !== 'string' || index === '')) throw wrong("index must be a file's name");
  if (guards !== undefined && !Array.isArray(guards)) throw wrong('guards must be an array');
  if (decorators !== undefined && !Array.isArray(decorators)) throw wrong('decorators must be an array');
}
