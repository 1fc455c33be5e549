import type { Failure } from '../protocol.js';
import { codeOf, DriverMissing } from './driver.js';
import { Denied, Refused, WrongSetting } from './refused.js';

/** A failure in the form that crosses to the storage: a class of its own would not. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongSetting) return { kind: 'setting', message: `SQLiteStorage: ${message}` };
  if (error instanceof DriverMissing) return { kind: 'setting', message };
  if (error instanceof Denied) return { kind: 'denied', message };
  const code = codeOf(error);
  if (code?.startsWith('SQLITE_') === true) return { kind: 'sqlite', code, message };
  return { kind: 'other', message, stack: error instanceof Error ? (error.stack ?? '') : '' };
}
