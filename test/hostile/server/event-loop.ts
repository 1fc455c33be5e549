import { workOfThread } from '../../thread-time.js';

/** How often the loop must turn, in milliseconds. */
const BEAT_MS = 20;

/**
 * Watches how long the event loop does not turn. Where other processes have the cores it stands still too: what counts is how much of
 * that time its own thread was at work, which on an idle machine is all of it.
 */
export class EventLoop {
  #longest = 0;
  #last = performance.now();
  #lastWork = workOfThread();

  constructor() {
    setInterval(() => {
      this.#beat();
    }, BEAT_MS).unref();
  }

  reset(): void {
    this.#beat();
    this.#longest = 0;
  }

  /** The longest time at work without a turn since the reset, in milliseconds. */
  blocked(): number {
    this.#beat();
    return this.#longest;
  }

  #beat(): void {
    const now = performance.now();
    const work = workOfThread();
    this.#longest = Math.max(this.#longest, Math.min(now - this.#last - BEAT_MS, work - this.#lastWork));
    this.#last = now;
    this.#lastWork = work;
  }
}
