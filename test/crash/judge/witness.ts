import type { Child } from '../../filesystem/process/child.js';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.js';
import type { Changes, History } from './history.js';
import { Inventory } from './inventory.js';

/** A step that was not acknowledged, with the error that its caller got. */
export interface Failure {
  readonly message: string;
  readonly code: string;
}

/** Hears what a program of this harness says, and tells the history. */
export class Witness {
  readonly #child: Child;
  readonly #history: History;
  #inventory = new Inventory();
  #failures: Failure[] = [];
  #ended = 0;

  constructor(child: Child, history: History) {
    this.#child = child;
    this.#history = history;
  }

  /** @returns what the program has found on the way to a word */
  async until(word: string): Promise<Inventory> {
    while (this.#hear(await this.#child.line()) !== word);
    return this.takeInventory();
  }

  /** What it has found since this was asked. */
  takeInventory(): Inventory {
    const inventory = this.#inventory;
    this.#inventory = new Inventory();
    return inventory;
  }

  /** Waits for the ends of so many steps. */
  async steps(count: number): Promise<void> {
    const enough = this.#ended + count;
    while (this.#ended < enough) this.#hear(await this.#child.line());
  }

  /** What it had said when it was killed, or says until it ends. */
  async lastWords(onWord: (word: string, details: readonly unknown[]) => void = () => undefined): Promise<void> {
    for await (const line of this.#child.rest()) {
      const [, ...details] = parse(line);
      onWord(this.#hear(line), details);
    }
  }

  /** The steps that have failed since this was asked. */
  takeFailures(): Failure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  #hear(line: string): string {
    const [word, ...details] = parse(line);
    switch (word) {
      case 'begin':
        this.#history.begin(text(details[0]), changesOf(details[1]), optionalNumber(details[2]));
        break;
      case 'done':
        this.#ended++;
        this.#history.acknowledge(text(details[0]), optionalNumber(details[1]));
        break;
      case 'refused':
        this.#ended++;
        this.#history.refuse(text(details[0]));
        break;
      case 'read':
        this.#history.read(
          text(details[0]),
          details[1] === null ? null : text(details[1]),
          Number(details[2]),
          Number(details[3]),
        );
        break;
      case 'failed':
        this.#ended++;
        this.#history.fail(text(details[0]), optionalNumber(details[3]));
        this.#failures.push({ message: text(details[1]), code: text(details[2]) });
        break;
      case 'found':
        this.#inventory.found(text(details[0]), text(details[1]));
        break;
      case 'fault':
        this.#inventory.fault(faultOf(details), details[2] === undefined ? undefined : text(details[2]));
        break;
      default:
    }
    return text(word);
  }
}

function parse(line: string): unknown[] {
  const words: unknown = JSON.parse(line);
  if (!Array.isArray(words)) throw new Error(`This is no line of the harness: ${line}`);
  return words;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`This is no text: ${JSON.stringify(value)}`);
  return value;
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function changesOf(value: unknown): Changes {
  if (typeof value !== 'object' || value === null) throw new Error('Changes are an object.');
  return Object.fromEntries(
    Object.entries(value).map(([key, version]) => [key, version === null ? null : text(version)]),
  );
}

function faultOf([kind, what]: readonly unknown[]): Fault {
  const known = FAULT_KINDS.find((candidate): candidate is FaultKind => candidate === kind);
  return { kind: known ?? 'failed', what: text(what) };
}
