/**
 * Where a call waits until the test lets it go on. No timer is in it: a test says when.
 *
 * @example
 * const gate = faulty.hold('commit');
 * const upload = request(server).post('/files').attach('file', bytes);
 * await gate.reached; // the commit has begun
 * gate.release();
 */
export class Gate {
  /** Resolves when the first call waits here. */
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #reach: () => void = () => undefined;
  #open: () => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  /** Lets everything that waits here go on, and all that comes later pass. */
  release(): void {
    this.#open();
  }

  /** Waits for the release; for the code that is held. */
  pass(): Promise<void> {
    this.#reach();
    return this.#opened;
  }
}
