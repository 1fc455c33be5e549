import { callbackTimedOut } from './errors/index.js';
import type { IncomingFile } from './stored-upload.js';

/** The longest time that a timer takes, in milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

/** How often somebody who may still be at work is looked at within his time. */
const LOOKS = 4;

/** What a function of the application, or a stream that it gave, is waited for under. */
export interface Patience {
  /** The option that the function was given as. */
  readonly option: string;
  /** What it is asked about. */
  readonly file?: Pick<IncomingFile, 'fieldname' | 'originalname'>;
  readonly milliseconds: number;
  /** The end of the request, after which nobody waits. */
  readonly signal: AbortSignal;
  /**
   * How far the work has come, by any number that changes with it; `undefined` while others have to do something first. What is at work is
   * not late. Left out: the time is that of the whole.
   */
  readonly progress?: () => number | undefined;
}

/**
 * Waits for what a function of the application gives, but no longer than its time, and not beyond the end of the request: a promise that
 * never settles would hold the client, its files and its connection for ever.
 *
 * @param onLate takes what comes when nobody waits any more
 * @throws UploadException 504 `CALLBACK_TIMEOUT`, the reason of the signal, and what the promise is rejected with
 */
export function waitFor<T>(given: T | PromiseLike<T>, patience: Patience, onLate?: (value: T) => void): T | Promise<T> {
  if (!isPromise(given)) return given;
  let over = false;
  let stop: () => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    stop = watch(patience, (reason) => {
      over = true;
      reject(reason);
    });
  });
  const discard = (value: T): void => {
    if (over) onLate?.(value);
  };
  // of another library's thenable, whose then() may throw
  const settled = Promise.resolve(given);
  settled.then(discard, () => undefined);
  return Promise.race([settled, ended]).finally(() => {
    stop();
  });
}

/**
 * Calls back once, when the time is over or the request has ended.
 *
 * @returns a function that ends the watch
 */
export function watch(patience: Patience, onOver: (reason: Error) => void): () => void {
  const { option, file, milliseconds, signal, progress } = patience;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onEnd);
  };
  const over = (reason: Error): void => {
    stop();
    onOver(reason);
  };
  const onEnd = (): void => {
    over(signal.reason instanceof Error ? signal.reason : new Error('The upload has ended.', { cause: signal.reason }));
  };
  signal.addEventListener('abort', onEnd);

  let since = performance.now();
  let before = progress?.();
  const look = (): void => {
    const now = progress?.();
    if (progress !== undefined && (now === undefined || now !== before)) since = performance.now();
    before = now;
    const left = milliseconds - (performance.now() - since);
    if (left <= 0) over(callbackTimedOut(option, milliseconds, file));
    else lookAgain(left);
  };
  const lookAgain = (left: number): void => {
    timer = setTimeout(look, progress === undefined ? left : Math.min(left, milliseconds / LOOKS)).unref();
  };
  // longer is what somebody sets who wants none
  if (milliseconds <= LONGEST_MS) lookAgain(milliseconds);
  if (signal.aborted) onEnd();
  return stop;
}

function isPromise<T>(given: T | PromiseLike<T>): given is PromiseLike<T> {
  return typeof given === 'object' && given !== null && 'then' in given && typeof given.then === 'function';
}
