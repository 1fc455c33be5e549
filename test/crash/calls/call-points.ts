import { join } from 'node:path';
import { History } from '../judge/history.js';
import type { Programs } from '../process/programs.js';
import type { CrashStore } from '../stores/index.js';
import { OPERATIONS } from '../workload/operations.js';
import { Operator } from './operator.js';
import { callsOf, threadsOf, Trace, type SystemCall } from './trace.js';

/** Opening and closing a store are steps of their own. */
export const OPENING = 'open';
export const CLOSING = 'close';

/** What is disturbed. */
export interface Subject {
  readonly programs: Programs;
  readonly store: CrashStore;
  readonly folder: string;
}

/** A system call of an operation, where it can be made to fail. */
export interface CallPoint {
  readonly operation: string;
  /** The ordinal of the thread that makes it; `undefined` where the thread is made in the operation. */
  readonly thread: number | undefined;
  readonly call: string;
  readonly count: number;
  /** As strace shows it. */
  readonly text: string;
  /** Whether it is about a file that is thrown away in the operation: a clone that the file system could not make. */
  readonly isOfWaste: boolean;
}

/** Calls that change nothing and are made over and over: who dies there dies at the next one just as well. */
const LEFT_OUT: ReadonlySet<string> = new Set(['mmap', 'munmap', 'mremap', 'lseek', 'poll', 'ppoll', 'epoll_ctl']);

export function operationsOf(store: CrashStore): string[] {
  return [OPENING, ...Object.keys(OPERATIONS), ...Object.keys(store.operations), CLOSING];
}

/** What the process is told to do for an operation. */
export function commandOf(operation: string): string {
  return operation === OPENING || operation === CLOSING ? operation : `do ${operation}`;
}

/** Whether the calls of an operation are made by threads that do not run before it. */
export function isByPaths(store: CrashStore, operation: string): boolean {
  return operation === OPENING && store.paths !== undefined;
}

/** A process that has come up to an operation: what it is to open was left by one that was killed. */
export async function operatorBefore(
  operation: string,
  { programs, store, folder }: Subject,
  history: History,
  from?: Operator,
): Promise<Operator> {
  const operator = from ?? (await Operator.start(programs, store, folder, history));
  if (from === undefined) await operator.command('open');
  await operator.command('prepare');
  if (operation !== OPENING) return operator;
  await operator.command('leave');
  await operator.kill();
  return Operator.start(programs, store, folder, history);
}

/** Every system call that an operation makes with the store's own files, as a run without any failure shows them. */
export async function callPointsOf(operation: string, subject: Subject): Promise<CallPoint[]> {
  const { store, folder } = subject;
  const history = new History();
  const operator = await operatorBefore(operation, subject, history);
  try {
    const byPaths = isByPaths(store, operation);
    const paths = byPaths ? (store.paths?.(folder) ?? []) : [];
    const threads = threadsOf(operator.pid);
    const trace = await Trace.attach({ process: operator.pid, paths }, join(folder, '..', 'trace'));
    await operator.command(commandOf(operation));
    const calls = untilDone(callsOf(await trace.detach()), operator.pid);
    const failures = operator.takeFailures();
    if (failures.length > 0) throw new Error(`${operation} fails by itself: ${JSON.stringify(failures)}`);
    const points = new Map<string, CallPoint>();
    for (const { thread, name, count, text } of calls) {
      if (LEFT_OUT.has(name) || !text.includes(folder)) continue;
      const ordinal = byPaths ? undefined : threads.indexOf(thread);
      if (ordinal === -1) throw new Error(`${operation} has made a thread.`);
      const point = { operation, thread: ordinal, call: name, count, text, isOfWaste: isOfWaste(text, calls) };
      points.set(`${ordinal ?? ''} ${name} ${count}`, point);
    }
    return [...points.values()];
  } finally {
    await operator.kill();
  }
}

/** Whether a call is about an open file that is unlinked and never gets another name. */
function isOfWaste(text: string, calls: readonly SystemCall[]): boolean {
  const path = /^\d+<([^>]+)>/.exec(text)?.[1];
  const isNamedIn = (call: RegExp): boolean =>
    calls.some((other) => call.test(other.name) && other.text.includes(`"${path ?? ''}"`));
  return path !== undefined && isNamedIn(/^unlink/) && !isNamedIn(/^(?:rename|link)/);
}

/** Without what a storage still does by itself once the operation is over: the main thread then writes its second line. */
function untilDone(calls: readonly SystemCall[], pid: number): readonly SystemCall[] {
  const lines = calls.filter(({ thread, name, text }) => thread === pid && name === 'write' && text.startsWith('1<'));
  const done = lines[1];
  return done === undefined ? calls : calls.slice(0, calls.indexOf(done));
}
