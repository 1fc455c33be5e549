import type { Child } from '../../filesystem/process/child.js';
import type { History } from '../judge/history.js';
import type { Inventory } from '../judge/inventory.js';
import { Witness, type Failure } from '../judge/witness.js';
import type { Programs } from '../process/programs.js';
import type { CrashStore } from '../stores/index.js';

/** A process that does with a store what it is told, one thing after the other. */
export class Operator {
  readonly #child: Child;
  readonly #witness: Witness;
  #lives = true;
  #cause = '';

  private constructor(child: Child, history: History) {
    this.#child = child;
    this.#witness = new Witness(child, history);
  }

  static async start(programs: Programs, store: CrashStore, folder: string, history: History): Promise<Operator> {
    const operator = new Operator(programs.start('operate', [store.name, 'full', folder]), history);
    await operator.#witness.until('ready');
    return operator;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get lives(): boolean {
    return this.#lives;
  }

  /** What it said of its death. */
  get cause(): string {
    return this.#cause;
  }

  /** @returns what it has found, where it was told to look; `undefined` if it has died of it */
  async command(line: string): Promise<Inventory | undefined> {
    this.#child.say(line);
    try {
      return await this.#witness.until('did');
    } catch (error) {
      this.#cause = error instanceof Error ? error.message : String(error);
      await this.kill();
      return undefined;
    }
  }

  takeFailures(): Failure[] {
    return this.#witness.takeFailures();
  }

  async kill(): Promise<void> {
    if (!this.#lives) return;
    this.#lives = false;
    await this.#child.kill();
    await this.#witness.lastWords();
  }
}
