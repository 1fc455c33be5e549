import { ConfigurationError, StorageError } from '../contract/index.js';
import type { ForwardingStorageOptions } from './forwarding-storage.js';
import { checkFields, COMMON_FIELDS, milliseconds } from './wrapper-options.js';

export interface RetryingStorageOptions extends ForwardingStorageOptions {
  /** How often a call is tried, the first time included. Default 4. */
  readonly attempts?: number | undefined;
  /** The longest wait before the second try, in milliseconds; it doubles with each try. Default 100. */
  readonly minDelay?: number | undefined;
  /** The longest wait before any try, in milliseconds. Default 5,000. */
  readonly maxDelay?: number | undefined;
  /** Milliseconds after the first try began, in which the last one must begin. Default 30,000. */
  readonly deadline?: number | undefined;
  /** Which of the errors that say `retryable` are worth another try. Default: all. */
  readonly retry?: ((error: StorageError) => boolean) | undefined;
  /** From 0 to below 1: the part of the longest wait that is waited. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

const FIELDS: readonly string[] = [
  ...COMMON_FIELDS,
  'attempts',
  'minDelay',
  'maxDelay',
  'deadline',
  'retry',
  'random',
] satisfies readonly (keyof RetryingStorageOptions)[];

/** What is tried again, how often and when. */
export class RetryPolicy {
  readonly attempts: number;
  /** Milliseconds. */
  readonly deadline: number;
  readonly #minDelay: number;
  readonly #maxDelay: number;
  readonly #retry: (error: StorageError) => boolean;
  readonly #random: () => number;

  /** @throws ConfigurationError that names the field */
  constructor(wrapper: string, options: RetryingStorageOptions) {
    checkFields(wrapper, options, FIELDS);
    const { attempts = 4, minDelay = 100, maxDelay = 5000, deadline = 30_000 } = options;
    const { retry = () => true, random = Math.random } = options;
    if (!Number.isSafeInteger(attempts) || attempts < 1) {
      throw new ConfigurationError(`${wrapper}: attempts must be a whole number of at least 1.`);
    }
    for (const [field, value] of Object.entries({ retry, random })) {
      if (typeof value !== 'function') throw new ConfigurationError(`${wrapper}: ${field} must be a function.`);
    }
    this.attempts = attempts;
    this.#minDelay = milliseconds(wrapper, 'minDelay', minDelay, 0);
    this.#maxDelay = milliseconds(wrapper, 'maxDelay', maxDelay, 0);
    if (this.#maxDelay < this.#minDelay) {
      throw new ConfigurationError(`${wrapper}: maxDelay must be at least minDelay, which is ${this.#minDelay} ms.`);
    }
    this.deadline = milliseconds(wrapper, 'deadline', deadline, 0);
    this.#retry = retry;
    this.#random = random;
  }

  takes(error: unknown): error is StorageError {
    return error instanceof StorageError && error.retryable && this.#retry(error);
  }

  /**
   * Milliseconds to wait after so many tries that failed: exponential, and any part of that ("full jitter"), so that callers that failed
   * together do not come back together.
   */
  delay(failed: number): number {
    return this.#random() * Math.min(this.#maxDelay, this.#minDelay * 2 ** (failed - 1));
  }
}
