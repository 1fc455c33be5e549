import { ConfigurationError } from '../contract/index.js';
import type { ForwardingStorageOptions } from './forwarding-storage.js';

/** What every wrapper takes. */
export const COMMON_FIELDS = ['name', 'keys', 'owns'] as const satisfies readonly (keyof ForwardingStorageOptions)[];

/** The longest that a timer of Node waits, in milliseconds: 24.8 days. */
const LONGEST = 2 ** 31 - 1;

/** @throws ConfigurationError for what are no options, and for a field that is none of them */
export function checkFields(wrapper: string, options: unknown, fields: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError(`${wrapper}: its options must be an object.`);
  }
  for (const field of Object.keys(options)) {
    if (!fields.includes(field)) {
      throw new ConfigurationError(`${wrapper}: ${field} is not one of its settings (${fields.join(', ')}).`);
    }
  }
}

/** @throws ConfigurationError that names the field */
export function milliseconds(wrapper: string, field: string, value: unknown, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > LONGEST) {
    throw new ConfigurationError(
      `${wrapper}: ${field} must be a whole number of milliseconds, from ${least} to ${LONGEST}.`,
    );
  }
  return value;
}
