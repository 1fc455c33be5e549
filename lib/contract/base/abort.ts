import { AbortError, TimeoutError, type StorageError } from '../errors/index.js';

/** The error of a call whose signal fired: a `TimeoutError` for `AbortSignal.timeout()`, else an `AbortError`. */
export function abortErrorOf(signal: AbortSignal): StorageError {
  const reason: unknown = signal.reason;
  if (typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError') {
    return new TimeoutError('The call took longer than its signal allowed.', { cause: reason });
  }
  return new AbortError('The call was aborted by its signal.', { cause: reason });
}

/**
 * Calls back once when the signal fires.
 *
 * @returns a function that takes the listener off again
 */
export function onAbort(signal: AbortSignal | undefined, callback: (error: StorageError) => void): () => void {
  if (signal === undefined) return () => undefined;
  const listener = (): void => {
    callback(abortErrorOf(signal));
  };
  signal.addEventListener('abort', listener, { once: true });
  return () => {
    signal.removeEventListener('abort', listener);
  };
}
