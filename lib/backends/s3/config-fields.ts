import { ConfigurationError } from '../../contract/index.js';
import { parseDuration } from '../../contract/options/duration.js';

/** Reads the fields of a configuration that may be anything, each checked for its type. */
export class ConfigFields {
  readonly #owner: string;
  readonly #given: Readonly<Record<string, unknown>>;

  /** @throws ConfigurationError when it is no object, or has a field that nobody knows */
  constructor(owner: string, given: unknown, known: Readonly<Record<string, true>>) {
    this.#owner = owner;
    if (typeof given !== 'object' || given === null) throw this.wrong('The settings', 'an object');
    this.#given = Object.fromEntries(Object.entries(given));
    for (const field of Object.keys(given)) {
      if (!Object.hasOwn(known, field)) {
        throw new ConfigurationError(
          `${owner}: ${field} is not one of its settings (${Object.keys(known).join(', ')}).`,
        );
      }
    }
  }

  text(field: string): string | undefined {
    const value = this.#given[field];
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '') throw this.wrong(field, 'a string that is not empty');
    return value;
  }

  flag(field: string): boolean | undefined {
    const value = this.#given[field];
    if (value === undefined) return undefined;
    if (typeof value !== 'boolean') throw this.wrong(field, 'true or false');
    return value;
  }

  wholeNumber(field: string, least: number, most: number, unit: string): number | undefined {
    const value = this.#given[field];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw this.wrong(field, `a whole number of ${unit}, from ${least} to ${most}`);
    }
    return value;
  }

  oneOf<T extends string>(field: string, values: readonly T[]): T | undefined {
    const value = this.#given[field];
    if (value === undefined) return undefined;
    const found = values.find((known) => known === value);
    if (found === undefined) throw this.wrong(field, values.map((known) => `'${known}'`).join(' or '));
    return found;
  }

  /** Seconds. */
  duration(field: string): number | undefined {
    const value = this.#given[field];
    if (value === undefined) return undefined;
    const seconds = parseDuration(value);
    if (seconds === undefined) throw this.wrong(field, "a number of seconds, or '30s', '15m', '2h', '7d'");
    return seconds;
  }

  texts(field: string): void {
    const value = this.#given[field];
    if (value === undefined) return;
    if (typeof value !== 'object' || value === null || Object.values(value).some((text) => typeof text !== 'string')) {
      throw this.wrong(field, 'an object of strings');
    }
  }

  wrong(field: string, expected: string): ConfigurationError {
    return new ConfigurationError(`${this.#owner}: ${field} must be ${expected}.`);
  }
}
