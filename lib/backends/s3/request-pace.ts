/** How many requests begin in one turn of the event loop. */
const PER_TURN = 8;

/**
 * Spreads a burst of requests over several turns of the event loop. Each takes the SDK and the socket about a millisecond of work at once: a
 * hundred uploads whose ends arrive in one packet would keep everything else waiting for as many.
 */
export class RequestPace {
  #left = PER_TURN;
  #turning = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is a request's turn. */
  async turn(): Promise<void> {
    if (this.#left === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      return;
    }
    this.#left--;
    this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      const next = this.#waiting.splice(0, PER_TURN);
      this.#left = PER_TURN - next.length;
      for (const resolve of next) resolve();
      if (next.length > 0) this.#awaitTurn();
    });
  }
}
