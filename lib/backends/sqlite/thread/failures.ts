import type { Failure, Reply } from '../protocol.js';
import { codeOf, DriverMissing } from './driver.js';
import { errnoOf, systemFailureBehind } from './system-failure.js';
import { Denied, FailedElsewhere, Refused, WrongSetting } from './refused.js';

/** A failure in the form that crosses to the storage: a class of its own would not. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailedElsewhere) {
    const failure = failureOf(error.cause);
    return failure.kind === 'sqlite' || failure.kind === 'system'
      ? { ...failure, elsewhere: error.elsewhere }
      : failure;
  }
  if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongSetting) return { kind: 'setting', message: `SQLiteStorage: ${message}` };
  if (error instanceof DriverMissing) return { kind: 'setting', message };
  if (error instanceof Denied) return { kind: 'denied', message };
  const code = codeOf(error);
  if (code?.startsWith('SQLITE_') === true) return { kind: 'sqlite', code, message };
  const errno = errnoOf(error);
  if (errno !== undefined) return { kind: 'system', errno, message };
  return { kind: 'other', message, stack: error instanceof Error ? (error.stack ?? '') : '' };
}

/** The replies, with what the system says of their failures where SQLite does not. Those of one answer have failed together, of one cause. */
export function explained(replies: readonly Reply[], filename: string): readonly Reply[] {
  const causes = new Map<string, string | undefined>();
  return replies.map((reply) => {
    const { id, failure } = reply;
    if (failure?.kind !== 'sqlite') return reply;
    const { code } = failure;
    const on = failure.elsewhere?.path ?? filename;
    const what = `${code} ${on}`;
    if (!causes.has(what)) causes.set(what, systemFailureBehind(code, on));
    const errno = causes.get(what);
    return errno === undefined ? reply : { id, failure: { ...failure, errno } };
  });
}
