import { onAbort } from '../contract/base/abort.js';
import { StorageError } from '../contract/index.js';
import { restateError } from './restate-error.js';
import type { RetryPolicy } from './retry-policy.js';

/** The tries of one call, or of one step of a transfer. */
export class Tries {
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  #begun = performance.now();
  #failed = 0;

  /** @param signal ends a wait at once */
  constructor(policy: RetryPolicy, signal: AbortSignal | undefined) {
    this.#policy = policy;
    this.#signal = signal;
  }

  /** Whether one has failed and was worth another. */
  get repeated(): boolean {
    return this.#failed > 0;
  }

  /** Waits until the next try is due. @returns false where there is none: then the error is the answer */
  async again(error: unknown): Promise<boolean> {
    if (this.#aborted() || !this.#policy.takes(error)) return false;
    if (this.#failed + 1 >= this.#policy.attempts) return false;
    const delay = this.#policy.delay(this.#failed + 1);
    if (performance.now() - this.#begun + delay > this.#policy.deadline) return false;
    this.#failed++;
    await pause(delay, this.#signal);
    return !this.#aborted();
  }

  /** Something came: what fails after it is another failure. */
  progressed(): void {
    this.#failed = 0;
    this.#begun = performance.now();
  }

  /** An error that is the answer, which says how often it was tried. */
  answer(error: unknown): unknown {
    const tried = this.#failed + 1;
    if (tried === 1 || !(error instanceof StorageError)) return error;
    return restateError(error, { message: `${error.message} (Tried ${tried} times.)` });
  }

  #aborted(): boolean {
    return this.#signal?.aborted === true;
  }
}

/** Until the time is over or the signal has fired. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      off();
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    const off = onAbort(signal, end);
  });
}
