import type { TimeoutError } from '../contract/index.js';

/**
 * Bounds the waits of one call, one after the other, and tells the call by a signal when one was too long. The caller's signal is passed on
 * by a listener that `end()` takes off: what `AbortSignal.any()` makes hangs on a signal that outlives many calls.
 */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #exceeded: (milliseconds: number) => TimeoutError;
  readonly #unlink: () => void;
  #timer: NodeJS.Timeout | undefined;
  #milliseconds = 0;
  #expire: ((error: TimeoutError) => void) | undefined;

  /** @param exceeded says what took too long */
  constructor(caller: AbortSignal | undefined, exceeded: (milliseconds: number) => TimeoutError) {
    this.#exceeded = exceeded;
    const abort = (): void => {
      this.#controller.abort(caller?.reason);
    };
    caller?.addEventListener('abort', abort, { once: true });
    this.#unlink = () => caller?.removeEventListener('abort', abort);
    if (caller?.aborted === true) abort();
  }

  /** Fires when a wait was too long, and when the caller's signal does. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Waits for the work, and no longer than it may take, whether or not it heeds the signal.
   *
   * @param discard gets a result that comes too late
   */
  async wait<T>(milliseconds: number, work: () => Promise<T>, discard?: (late: T) => unknown): Promise<T> {
    const state = { over: false };
    const expired = new Promise<never>((_resolve, reject) => {
      this.#expire = (error) => {
        state.over = true;
        // before the signal: the work may fail because of it at once
        reject(error);
        this.#controller.abort(error);
      };
    });
    this.restart(milliseconds);
    let working: Promise<T> | undefined;
    try {
      working = work();
      return await Promise.race([working, expired]);
    } finally {
      if (!state.over) this.#stop();
      else if (working !== undefined && discard !== undefined) void discardLate(working, discard);
    }
  }

  /** Progress: the wait begins anew. */
  restart(milliseconds: number): void {
    if (this.#expire === undefined) return;
    if (this.#timer !== undefined && milliseconds === this.#milliseconds) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#milliseconds = milliseconds;
    this.#timer = setTimeout(() => {
      const expire = this.#expire;
      this.#stop();
      expire?.(this.#exceeded(milliseconds));
    }, milliseconds);
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#stop();
    this.#unlink();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#expire = undefined;
  }
}

async function discardLate<T>(working: Promise<T>, discard: (late: T) => unknown): Promise<void> {
  try {
    await discard(await working);
  } catch {
    // of what was given up nobody hears any more
  }
}
