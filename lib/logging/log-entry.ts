import { inspect } from 'node:util';

type Field = string | number | boolean | undefined | readonly Field[] | { readonly [name: string]: Field };

/**
 * A message with fields. Nest's ConsoleLogger writes it as one line of text, and with `json: true` as an object: it asks `inspect` in the one case and
 * `toJSON` in the other.
 */
export class LogEntry {
  readonly message: string;
  readonly fields: Readonly<Record<string, Field>>;

  constructor(message: string, fields: Readonly<Record<string, Field>> = {}) {
    this.message = message;
    this.fields = fields;
  }

  toJSON(): object {
    return { message: this.message, ...this.fields };
  }

  toString(): string {
    const fields = Object.entries(this.fields).filter(([, value]) => value !== undefined);
    if (fields.length === 0) return this.message;
    return `${this.message} (${fields.map(([name, value]) => `${name}: ${textOf(value)}`).join(', ')})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function textOf(value: Field): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
