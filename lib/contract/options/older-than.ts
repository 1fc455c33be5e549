import { InvalidArgumentError } from '../errors/index.js';
import { parseDuration } from './duration.js';

/**
 * How long something must have lain there for `sweep({ olderThan })` to remove it, in milliseconds.
 *
 * @throws InvalidArgumentError for what is no duration
 */
export function resolveOlderThan(options: unknown): number {
  const seconds = parseDuration((options as { readonly olderThan?: unknown } | undefined)?.olderThan);
  if (seconds === undefined || seconds < 0) {
    throw new InvalidArgumentError("sweep: olderThan must be a number of seconds, or '30m', '24h', '7d'.");
  }
  return seconds * 1000;
}
