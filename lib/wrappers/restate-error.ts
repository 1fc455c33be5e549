import { StorageError } from '../contract/index.js';

/** What a restated error says otherwise; what is left out stays as it was. */
export interface Restatement {
  readonly message: string;
  readonly key: string | undefined;
  readonly storage: string | undefined;
  readonly operation: StorageError['operation'];
  readonly cause: unknown;
}

/**
 * The same kind of error with other words, for a wrapper whose callers know other names than its inner storage. A new object: the inner
 * error may be in other hands too.
 */
export function restateError(error: StorageError, words: Partial<Restatement>): StorageError {
  const { message = error.message, cause = error.cause, ...context } = words;
  // StorageError's own constructor under the error's class: subclasses take other arguments, their fields are copied
  const restated = Reflect.construct(StorageError, [message, { cause }], error.constructor as typeof StorageError);
  return Object.assign(restated, error, context);
}
