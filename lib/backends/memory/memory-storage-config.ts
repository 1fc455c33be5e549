import { ConfigurationError, type KeyMode } from '../../contract/index.js';

export interface MemoryStorageConfig {
  /** The most bytes that all objects, stored and staged, may have together. More is a `QuotaExceededError`. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** `sanitize` (default) makes a key canonical, `strict` refuses one that is not. */
  readonly keys?: KeyMode | undefined;
  /** Names the storage in errors until a module registers it. Default `memory`. */
  readonly name?: string | undefined;
}

const FIELDS: ReadonlySet<string> = new Set<keyof MemoryStorageConfig>(['maxBytes', 'keys', 'name']);

/** @throws ConfigurationError that names the field */
export function checkMemoryStorageConfig(config: MemoryStorageConfig): Readonly<MemoryStorageConfig> {
  const { maxBytes } = config;
  for (const field of Object.keys(config)) {
    if (!FIELDS.has(field)) {
      throw new ConfigurationError(`MemoryStorage: ${field} is not one of its settings (${[...FIELDS].join(', ')}).`);
    }
  }
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 0)) {
    throw new ConfigurationError('MemoryStorage: maxBytes must be a whole number of bytes.');
  }
  return Object.freeze({ ...config });
}
