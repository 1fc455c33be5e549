import { ConfigurationError } from '../contract/index.js';

/** How an application ends that still has uploads and downloads under way. */
export interface ShutdownOptions {
  /**
   * How long uploads, downloads and listeners that are under way may take to finish when the application begins to close, in milliseconds. What
   * is left then is broken off: an upload is answered 503 and leaves nothing, the connection of a download is cut. Default 10,000; 0 waits for nothing.
   */
  readonly timeout?: number | undefined;
  /** What a client that uploads meanwhile is told to wait before it tries again (`Retry-After`), in seconds. Default 5. */
  readonly retryAfter?: number | undefined;
}

export type ResolvedShutdownOptions = { readonly [Name in keyof ShutdownOptions]-?: number };

/** The longest that a timer of Node waits, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws ConfigurationError that names the setting */
export function resolveShutdownOptions(given: unknown = {}): ResolvedShutdownOptions {
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError('shutdown must be an object, such as { timeout: 10_000, retryAfter: 5 }.');
  }
  for (const name of Object.keys(given)) {
    if (name === 'timeout' || name === 'retryAfter') continue;
    throw new ConfigurationError(`shutdown.${name} is not one of its settings (timeout, retryAfter).`);
  }
  const { timeout, retryAfter } = given as { readonly timeout?: unknown; readonly retryAfter?: unknown };
  return {
    timeout: whole('timeout', 'milliseconds', timeout, 10_000),
    retryAfter: whole('retryAfter', 'seconds', retryAfter, 5),
  };
}

function whole(name: string, unit: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= LONGEST_MS) return value;
  throw new ConfigurationError(`shutdown.${name} must be a whole number of ${unit}, from 0 to ${LONGEST_MS}.`);
}
