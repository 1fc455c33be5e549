import { AssertionError } from 'node:assert';
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { compareKeys, type StoredFile } from '../../contract/index.js';

export interface StoredContent {
  readonly file: StoredFile;
  readonly bytes: Buffer;
}

/** What a test may expect of a stored file: the fields that are given are compared, metadata as a whole. */
export type ExpectedAttributes = Partial<
  Pick<
    StoredFile,
    'size' | 'contentType' | 'metadata' | 'cacheControl' | 'contentDisposition' | 'contentEncoding' | 'etag'
  >
>;

type Objects = ReadonlyMap<string, StoredContent>;

/** How many keys a message names. */
const KEYS_SHOWN = 20;
/** How many bytes of a content are shown around the first one that differs. */
const BYTES_SHOWN = 256;

export function assertExists(objects: Objects, key: string, expected: ExpectedAttributes): StoredFile {
  const { file } = found(objects, key);
  const actual = Object.fromEntries(Object.keys(expected).map((field) => [field, file[field as keyof StoredFile]]));
  if (!isDeepStrictEqual(actual, { ...expected })) {
    const differing = Object.keys(actual).filter(
      (field) => !isDeepStrictEqual(actual[field], expected[field as keyof ExpectedAttributes]),
    );
    fail(`The file ${quote(key)} has another ${differing.join(', ')} than expected.`, actual, { ...expected });
  }
  return file;
}

export function assertMissing(objects: Objects, key: string): void {
  if (!objects.has(key)) return;
  const keys = sortedKeys(objects);
  const others = keys.filter((stored) => stored !== key);
  fail(`Expected no file ${quote(key)}. ${describe(keys)}`, keys, others);
}

export function assertCount(objects: Objects, expected: number, prefix: string): void {
  const keys = sortedKeys(objects).filter((key) => key.startsWith(prefix));
  if (keys.length === expected) return;
  const under = prefix === '' ? '' : ` under the prefix ${quote(prefix)}`;
  fail(
    `Expected ${count(expected)}${under}, and there ${keys.length === 1 ? 'is' : 'are'} ${keys.length}: ${list(keys)}.` +
      (prefix === '' ? '' : ` ${describe(sortedKeys(objects))}`),
    keys.length,
    expected,
  );
}

export function assertContent(objects: Objects, key: string, expected: string | Uint8Array): void {
  const { bytes } = found(objects, key);
  const wanted = typeof expected === 'string' ? Buffer.from(expected, 'utf8') : Buffer.from(expected);
  if (bytes.equals(wanted)) return;
  const offset = firstDifference(bytes, wanted);
  const [actualText, expectedText] = excerpts(bytes, wanted, offset);
  fail(
    `The file ${quote(key)} has other bytes than expected: ${bytes.length} bytes against ${wanted.length}, ` +
      `the first difference at offset ${offset}.`,
    actualText,
    expectedText,
  );
}

function found(objects: Objects, key: string): StoredContent {
  const stored = objects.get(key);
  if (stored !== undefined) return stored;
  const keys = sortedKeys(objects);
  return fail(`There is no file ${quote(key)}. ${describe(keys)}`, keys, [...keys, key].sort(compareKeys));
}

/** Jest, Vitest and node:test show the message and a difference. (With `deepStrictEqual` Node would add one of its own to the message.) */
function fail(message: string, actual: unknown, expected: unknown): never {
  throw new AssertionError({ message, actual, expected, operator: 'equal', stackStartFn: fail });
}

function sortedKeys(objects: Objects): string[] {
  return [...objects.keys()].sort(compareKeys);
}

function describe(keys: readonly string[]): string {
  return keys.length === 0 ? 'The storage is empty.' : `The storage holds ${count(keys.length)}: ${list(keys)}.`;
}

function list(keys: readonly string[]): string {
  if (keys.length === 0) return 'none';
  const shown = keys.slice(0, KEYS_SHOWN).map(quote).join(', ');
  return keys.length > KEYS_SHOWN ? `${shown} and ${keys.length - KEYS_SHOWN} more` : shown;
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function firstDifference(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  let offset = 0;
  while (offset < length && a[offset] === b[offset]) offset++;
  return offset;
}

/** What both have around the first difference: as text where both are text, else in hexadecimal. */
function excerpts(actual: Buffer, expected: Buffer, offset: number): [string, string] {
  const form = isUtf8(actual) && isUtf8(expected) ? 'utf8' : 'hex';
  const start = Math.max(0, offset - BYTES_SHOWN / 2);
  const cut = (bytes: Buffer): string => bytes.subarray(start, start + BYTES_SHOWN).toString(form);
  return [cut(actual), cut(expected)];
}
