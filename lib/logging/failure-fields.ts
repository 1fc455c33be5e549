import { HttpException } from '@nestjs/common';
import { StorageError } from '../contract/index.js';
import { withoutSecrets } from './without-secrets.js';

/** How far down the causes are told. */
const MAX_CAUSES = 5;

/** What a log at `warn` or above holds of a failure. */
export interface FailureFields {
  /** Of a storage error, of a cause that is one, or of an answer, without what it quotes. Those of others may hold paths and more, and stay out. */
  readonly reason: string;
  readonly error: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly storage: string | undefined;
  readonly operation: string | undefined;
  /** The names and codes of the causes, from the nearest one on. */
  readonly causes: string | undefined;
  readonly [name: string]: string | undefined;
}

/**
 * Tells a failure to those who keep logs for long and show them to many: its kind, its place and its causes, and no key of a user, no path, nothing that
 * a foreign error says in words. What is left out stands at `debug`.
 */
export function failureFields(failure: unknown): FailureFields {
  const chain = chainOf(failure);
  const keys = chain.flatMap((each) => (each instanceof StorageError && each.key !== undefined ? [each.key] : []));
  const causes = chain.slice(1).map((each) => [nameOf(each), codeOf(each)].filter(Boolean).join(' '));
  const found = chain.find((each) => each instanceof StorageError);
  return {
    reason: found === undefined ? reasonOfOther(failure) : withoutKeys(found, keys),
    error: nameOf(failure),
    code: codeOf(failure),
    syscall: chain.map((each) => textAt(each, 'syscall')).find((each) => each !== undefined),
    storage: found?.storage,
    operation: found?.operation,
    causes: causes.length === 0 ? undefined : causes.join(' < '),
  };
}

/** The frames of a failure, without its message. */
export function framesOf(failure: unknown): string | undefined {
  if (!(failure instanceof Error)) return undefined;
  const { stack, message } = failure;
  const start = stack?.indexOf(message) ?? -1;
  if (stack === undefined || start === -1) return undefined;
  const lines = stack.slice(start + message.length).split('\n');
  return lines.filter((line) => /^ +at /.test(line)).join('\n') || undefined;
}

/** A failure as a whole, for `debug`: what it and its causes say, with keys and paths. No other fields of theirs: an HTTP client's error carries the headers it sent. */
export function failureText(failure: unknown): string {
  const told = chainOf(failure).map((each) =>
    each instanceof Error ? (each.stack ?? `${each.name}: ${each.message}`) : String(each),
  );
  return withoutSecrets(told.join('\ncaused by '));
}

function chainOf(failure: unknown): unknown[] {
  const chain = [failure];
  let next = failure;
  while (next instanceof Error && next.cause !== undefined && chain.length <= MAX_CAUSES) {
    next = next.cause;
    chain.push(next);
  }
  return chain;
}

/** An answer of the library's own, which names what has to be changed; the words of anything else are not known to hold no key. */
function reasonOfOther(failure: unknown): string {
  return failure instanceof HttpException ? withoutQuoted(failure.message) : 'A failure that is no storage error.';
}

function withoutQuoted(text: string, known?: string): string {
  return withoutSecrets(text.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => (literal === known ? literal : '(key)')));
}

/** What a message quotes may be a key, also one that the error has no field for; of a wrong configuration it is what has to be changed. */
function withoutKeys({ message, code, storage }: StorageError, keys: readonly string[]): string {
  const longestFirst = [...keys].sort((a, b) => b.length - a.length);
  const text = longestFirst.reduce((shown, key) => shown.replace(asWord(key), '(key)'), message);
  if (code === 'INVALID_CONFIGURATION') return withoutSecrets(text);
  return withoutQuoted(text, JSON.stringify(storage));
}

function asWord(key: string): RegExp {
  return new RegExp(
    `(?<![\\p{L}\\p{N}])${key.replace(/[^\p{L}\p{N}]/gu, (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`)}(?![\\p{L}\\p{N}])`,
    'gu',
  );
}

function nameOf(value: unknown): string {
  return textAt(value, 'name') ?? typeof value;
}

function codeOf(value: unknown): string | undefined {
  return textAt(value, 'code');
}

/** Words of other programs are taken only where they look like the names that they should be. */
function textAt(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const text = (value as Readonly<Record<string, unknown>>)[name];
  return typeof text === 'string' && /^[\w.-]{1,64}$/.test(text) ? text : undefined;
}
