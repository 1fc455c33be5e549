import { timesOfThread } from '../../thread-time.js';

/** Milliseconds between two looks. */
const LOOK_EVERY = 1;

/**
 * How late the event loop of the main thread is by what the process itself does: the time in which the thread was ready to run and had no processor,
 * because others had it, is taken off, where the system counts that.
 */
export class OwnDelay {
  readonly #delays: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #looked = performance.now();
  #waited = timesOfThread().wait;

  constructor() {
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_EVERY);
  }

  /** @returns milliseconds: what 99 of 100 looks were no later than, and the longest */
  end(): { readonly p99: number; readonly longest: number } {
    clearInterval(this.#timer);
    this.#look();
    const sorted = this.#delays.sort((a, b) => a - b);
    return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, longest: sorted.at(-1) ?? 0 };
  }

  #look(): void {
    const [now, waited] = [performance.now(), timesOfThread().wait];
    this.#delays.push(Math.max(0, now - this.#looked - LOOK_EVERY - (waited - this.#waited)));
    this.#looked = now;
    this.#waited = waited;
  }
}
