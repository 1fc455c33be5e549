import { join } from 'node:path';
import type { Fault } from '../judge/faults.js';
import { History } from '../judge/history.js';
import type { Inventory } from '../judge/inventory.js';
import { Tally } from '../judge/tally.js';
import { ERRNOS, type Errno } from '../stores/index.js';
import { CLOSING, commandOf, isByPaths, OPENING, operatorBefore, type CallPoint, type Subject } from './call-points.js';
import { Operator } from './operator.js';
import { threadsOf, Trace } from './trace.js';

/** A call of the system, and what is done to it: it kills its process, or it fails. */
export interface CallFault {
  readonly point: CallPoint;
  readonly by: 'KILL' | Errno;
}

/** Every fault of every point that can be. */
export function faultsAt(points: readonly CallPoint[]): CallFault[] {
  return points.flatMap((point) => {
    // to give up a lock cannot fail on a local disk, and nobody could do anything about it
    const errors = point.text.includes('F_UNLCK') ? [] : ERRNOS;
    return (['KILL', ...errors] as const).map((by) => ({ point, by }));
  });
}

/** What came of the operations that were disturbed, by `call error -> outcome`. */
export type Outcomes = Map<string, number>;

/** Disturbs operations at one system call each, and looks at what is there: at once, when the store is opened again, in a new process. */
export class CallFaults {
  readonly #subject: Subject;
  readonly #history = new History();
  readonly tally = new Tally();
  readonly outcomes: Outcomes = new Map();
  /** Faults that did not happen: the operation has made its calls in another order. */
  missed = 0;
  #operator: Operator | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async run(faults: readonly CallFault[]): Promise<void> {
    try {
      for (const fault of faults) await this.#disturb(fault);
      await this.#reopen('in the end');
    } finally {
      await this.#operator?.kill();
      this.#operator = undefined;
    }
    this.tally.begun = this.#history.begun;
    this.tally.acknowledged = this.#history.acknowledged;
  }

  async #disturb(fault: CallFault): Promise<void> {
    const { operation } = fault.point;
    const where = describe(fault);
    const operator = await operatorBefore(operation, this.#subject, this.#history, this.#operator);
    this.#operator = operator;
    this.#expectNoFailures(operator, `before ${where}`);
    const trace = await this.#attach(operator, fault);
    await operator.command(commandOf(operation));
    const lines = await trace.detach();
    // it may have come after the answer
    if (fault.by === 'KILL') await operator.kill();
    const happened = lines.some((line) => this.#isAim(line, fault));
    this.tally.rounds++;
    if (!happened) this.missed++;
    this.#weigh(fault, operator, happened);
    if (operator.lives) {
      // a store that did not open, or was closed, can be opened
      if (operation === OPENING || operation === CLOSING) await operator.command('open');
      this.#judge(where, await operator.command('look'), true);
      await operator.command('use');
      this.#expectNoFailures(operator, `after ${where}`);
      await operator.command('close');
      this.#expectNoFailures(operator, `closing after ${where}`);
    }
    await this.#reopen(where, fault.by !== 'KILL' && this.#subject.store.mayLeave.has(fault.point.call));
  }

  /** As the next start, in the same process if it lives. */
  async #reopen(where: string, mayLeave = false): Promise<void> {
    if (this.#operator?.lives !== true) {
      const { programs, store, folder } = this.#subject;
      this.#operator = await Operator.start(programs, store, folder, this.#history);
    }
    const operator = this.#operator;
    await operator.command('open');
    this.#judge(`${where}, opened again`, await operator.command('look'), mayLeave);
    await operator.command('use');
    this.#expectNoFailures(operator, `${where}, opened again`);
  }

  #attach(operator: Operator, { point, by }: CallFault): Promise<Trace> {
    const { operation, call, count, thread } = point;
    const { store, folder } = this.#subject;
    const how = by === 'KILL' ? 'signal=KILL' : `error=${by}`;
    const target = isByPaths(store, operation)
      ? { process: operator.pid, paths: store.paths?.(folder) ?? [] }
      : { thread: threadsOf(operator.pid)[thread ?? 0] ?? operator.pid };
    return Trace.attach(target, join(folder, '..', 'trace'), `${call}:${how}:when=${count}`);
  }

  /** Whether a line of a trace shows what was to happen: threads make the same calls for themselves too, to wake each other. */
  #isAim(line: string, { point, by }: CallFault): boolean {
    const { store, folder } = this.#subject;
    if (by === 'KILL') return line.includes('killed by SIGKILL');
    return line.includes('(INJECTED)') && (isByPaths(store, point.operation) || line.includes(folder));
  }

  /** Whether the operation ended as it may. */
  #weigh({ point, by }: CallFault, operator: Operator, happened: boolean): void {
    const [failure] = operator.takeFailures();
    const outcome = !happened ? 'missed' : !operator.lives ? 'died' : (failure?.code ?? 'done');
    const name = `${point.call} ${by} -> ${outcome}`;
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
    if (!happened || by === 'KILL') return;
    const fail = (what: string): void => {
      this.tally.faults.push({ kind: 'failed', what: `${describe({ point, by })}: ${what}` });
    };
    if (!operator.lives) fail(operator.cause);
    else if (failure === undefined) {
      if (isFinal(point, by, this.#subject.store.written)) fail('it was acknowledged');
    } else if (
      failure.code === 'none' ||
      (canHappen(point.call, by) && !this.#subject.store.codes[by].includes(failure.code))
    ) {
      fail(failure.message);
    }
  }

  #judge(where: string, inventory: Inventory | undefined, mayLeave: boolean): void {
    if (inventory === undefined) {
      this.tally.faults.push({ kind: 'failed', what: `${where}: ${this.#operator?.cause ?? ''}` });
      return;
    }
    const isExcused = ({ kind }: Fault): boolean => kind === 'left over' && mayLeave;
    const faults = this.#history.judge(inventory).filter((found) => !isExcused(found));
    this.tally.faults.push(...faults.map(({ kind, what }) => ({ kind, what: `${where}: ${what}` })));
  }

  #expectNoFailures(operator: Operator, where: string): void {
    for (const { message } of operator.takeFailures()) {
      this.tally.faults.push({ kind: 'failed', what: `${where}: ${message}` });
    }
  }
}

/** What the system's manual allows a call to fail with; with anything else it is enough that the error is one of the storage's. */
function canHappen(call: string, by: Errno): boolean {
  switch (by) {
    case 'EIO':
      return true;
    case 'EMFILE':
      return call.startsWith('open');
    case 'EINTR':
      return /^(?:open|close|p?read|p?write|f(?:data)?sync|ftruncate|fallocate|fcntl|statfs)/.test(call);
    case 'ENOSPC':
    case 'EDQUOT':
      return /^(?:open|close|p?write|f(?:data)?sync|ftruncate|fallocate|rename|link|symlink|mkdir)/.test(call);
  }
}

/**
 * Nobody knows what is on the disk after a flush that failed, or a close of a file that was written. What was never promised (opening, closing) is
 * none, nor is a close that was interrupted: it has closed.
 */
function isFinal({ operation, call, text, isOfWaste }: CallPoint, by: Errno, written?: RegExp): boolean {
  if (by === 'EINTR' || operation === OPENING || operation === CLOSING) return false;
  return /^f(?:data)?sync$/.test(call) || (call === 'close' && !isOfWaste && written?.test(text) === true);
}

function describe({ point, by }: CallFault): string {
  return `${point.operation}, ${by} at ${point.call} ${point.count} of thread ${point.thread ?? 'any'} (${point.text.slice(0, 200)})`;
}
