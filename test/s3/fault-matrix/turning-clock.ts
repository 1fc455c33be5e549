/** Milliseconds between two ticks. */
const TICK = 10;
/** Of the time between two ticks, what counts at most. */
const MOST = 2 * TICK;

/**
 * A clock that stands still while the event loop does: what others have of the processor is not counted. On a machine that has nothing else to do it
 * goes as any other clock.
 */
export class TurningClock {
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();
  #passed = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#passed += Math.min(now - this.#last, MOST);
      this.#last = now;
    }, TICK);
  }

  /** @returns milliseconds since it was made */
  stop(): number {
    clearInterval(this.#timer);
    return this.#passed;
  }
}
