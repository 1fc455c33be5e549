import { departedInstances } from './departed.js';
import type { DatabaseThread } from './database-thread.js';
import type { ReaderPins } from './reader-pins.js';

/** Milliseconds between two looks at what neighbours wait for, and at what waits for them. */
const LOOK_EVERY = 2000;

/**
 * Has the thread give back the room of what nobody reads any more: soon after something was given up, when its last reader has gone, and
 * now and then, because neighbours on the same file wait to hear what is read here.
 */
export class Sweeper {
  readonly #thread: DatabaseThread;
  readonly #pins: ReaderPins;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #stopped = true;

  constructor(thread: DatabaseThread, pins: ReaderPins) {
    this.#thread = thread;
    this.#pins = pins;
    pins.onRelease = () => {
      this.sweep();
    };
  }

  start(): void {
    this.#stopped = false;
    this.#timer = setInterval(() => {
      this.sweep();
    }, LOOK_EVERY).unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  sweep(): void {
    this.#wanted = true;
    if (this.#stopped) return;
    // what fails is tried again: the room is only given back later
    this.#running ??= this.#run()
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Sweeps until nothing is left that may go. */
  async finish(): Promise<void> {
    await this.#running;
    await this.#run();
  }

  async #run(): Promise<void> {
    do {
      this.#wanted = false;
      const answer = await this.#thread.call('sweep', { safe: this.#pins.safe ?? 0, departed: departedInstances() });
      this.#pins.know(answer.epoch);
      if (answer.again) this.#wanted = true;
    } while (this.#wanted && !this.#stopped);
  }
}
