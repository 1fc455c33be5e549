import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { StorageError, type StorageErrorCode } from '../../contract/index.js';
import type { ExpectedError } from './check.js';

/** Holds a value to everything that is promised of an error. */
export function expectStorageError(
  error: unknown,
  code: StorageErrorCode,
  expected: ExpectedError,
  secrets: readonly string[],
): StorageError {
  assert.ok(error instanceof StorageError, `expected a StorageError, but got ${inspect(error)}`);
  assert.equal(error.code, code, `${error.name}: ${error.message}`);
  assert.equal(typeof error.operation, 'string', `${error.name} does not name the operation`);
  assert.ok(typeof error.storage === 'string' && error.storage !== '', `${error.name} does not name the storage`);
  assert.equal(typeof error.retryable, 'boolean');
  assert.notEqual(error.message, '');
  if (expected.operation !== undefined) assert.equal(error.operation, expected.operation, 'the operation of the error');
  if (expected.key !== undefined) assert.equal(error.key, expected.key, 'the key of the error');
  expectNoSecret(error.message, secrets);
  return error;
}

/** Asserts that a text shows nothing of the machine. */
export function expectNoSecret(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    assert.ok(!text.includes(secret), `this text shows ${JSON.stringify(secret)}: ${text}`);
  }
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  return assert.fail(`expected a rejection, but it resolved to ${inspect(value, { depth: 1 }).slice(0, 300)}`);
}
