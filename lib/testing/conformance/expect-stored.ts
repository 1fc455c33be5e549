import assert from 'node:assert/strict';
import type { Storage, StoredFile } from '../../contract/index.js';
import { sha256 } from './sources/bytes.js';

/** Asserts that two bodies are the same, without printing megabytes. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, what = 'the bytes'): void {
  if (Buffer.compare(actual, expected) === 0) return;
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at++;
  assert.fail(
    `${what} differ from byte ${at} on: ${actual.length} bytes with sha256 ${sha256(actual)} ` +
      `instead of ${expected.length} with ${sha256(expected)}`,
  );
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    assert.ok(chunk instanceof Uint8Array || Buffer.isBuffer(chunk), 'the stream must yield bytes');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Asserts that a key holds these bytes, through get and getBytes. */
export async function expectContent(storage: Storage, key: string, expected: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(expected);
  expectSameBytes(await readAll(await storage.get(key)), bytes, `get(${JSON.stringify(key)}): the bytes`);
  expectSameBytes(await storage.getBytes(key), bytes, `getBytes(${JSON.stringify(key)}): the bytes`);
}

/** Asserts that a key has no object, by every way of asking. */
export async function expectMissing(storage: Storage, key: string): Promise<void> {
  assert.equal(await storage.exists(key), false, `exists(${JSON.stringify(key)})`);
  await assert.rejects(storage.info(key), { code: 'FILE_NOT_FOUND' });
  await assert.rejects(storage.get(key), { code: 'FILE_NOT_FOUND' });
  assert.ok(!(await keysOf(storage.list(key))).includes(key), `${JSON.stringify(key)} is listed`);
}

/** Milliseconds by which dates may differ that a storage tells in seconds. */
const SECONDS = 2000;

/** Asserts that two answers tell of one object: of its date as exactly as the storage declares. */
export function expectSameFile(
  storage: Storage,
  actual: StoredFile | undefined,
  expected: StoredFile | undefined,
): void {
  if (storage.capabilities.lastModified === 'exact' || actual === undefined || expected === undefined) {
    assert.deepEqual(actual, expected);
    return;
  }
  assert.deepEqual({ ...actual, lastModified: 0 }, { ...expected, lastModified: 0 });
  const apart = Math.abs(actual.lastModified.getTime() - expected.lastModified.getTime());
  assert.ok(apart <= SECONDS, `the dates are ${apart} ms apart`);
}

/** Asserts that a listing yields these objects: of their attributes as much as the storage declares. */
export function expectListed(storage: Storage, listed: readonly StoredFile[], expected: readonly StoredFile[]): void {
  assert.deepEqual(
    listed.map(({ key }) => key),
    expected.map(({ key }) => key),
  );
  for (const [index, file] of listed.entries()) {
    const other = at(expected, index);
    const { contentType, metadata } = storage.capabilities.listsAttributes ? file : other;
    expectSameFile(storage, { ...file, contentType, metadata }, other);
  }
}

/** Asserts that an object is still exactly the one it was. */
export async function expectUnchanged(storage: Storage, file: StoredFile, bytes: Uint8Array | string): Promise<void> {
  expectSameFile(storage, await storage.info(file.key), file);
  await expectContent(storage, file.key, bytes);
}

/** Everything of a listing. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export async function keysOf(files: AsyncIterable<StoredFile>): Promise<string[]> {
  return (await collect(files)).map((file) => file.key);
}

/** An element that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  assert.ok(item !== undefined, `there is no element ${index} of ${items.length}`);
  return item;
}

/** Keys in the order that every listing has. */
export function byBytes(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
