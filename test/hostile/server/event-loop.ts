/** How often the loop must turn, in milliseconds. */
const BEAT_MS = 20;

/**
 * Watches how long the event loop does not turn. A loop that stood still only because other processes had the cores is not
 * blocked: its own process must have been at work for half of the time.
 */
export class EventLoop {
  #longest = 0;
  #last = performance.now();
  #lastWork = process.cpuUsage();

  constructor() {
    setInterval(() => {
      this.#beat();
    }, BEAT_MS).unref();
  }

  reset(): void {
    this.#beat();
    this.#longest = 0;
  }

  /** The longest time since the reset, in milliseconds. */
  blocked(): number {
    this.#beat();
    return this.#longest;
  }

  #beat(): void {
    const now = performance.now();
    const work = process.cpuUsage(this.#lastWork);
    const stood = now - this.#last - BEAT_MS;
    if ((work.user + work.system) / 1000 >= stood / 2) this.#longest = Math.max(this.#longest, stood);
    this.#last = now;
    this.#lastWork = process.cpuUsage();
  }
}
