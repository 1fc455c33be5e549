import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A system call of one thread, as strace shows it. */
export interface SystemCall {
  readonly thread: number;
  readonly name: string;
  /** Of the calls of this name in this thread, from 1: what strace calls `when`. */
  readonly count: number;
  readonly text: string;
}

/** What strace looks at: one thread, or a whole process and those of its calls that name certain paths. */
export type TraceTarget = { readonly thread: number } | { readonly process: number; readonly paths: readonly string[] };

/** strace on a running process, from its attaching to its detaching. */
export class Trace {
  readonly #strace: ChildProcess;
  readonly #file: string;
  readonly #exit: Promise<unknown>;

  private constructor(strace: ChildProcess, file: string) {
    this.#strace = strace;
    this.#file = file;
    this.#exit = once(strace, 'exit');
  }

  /** @param inject as strace takes it: `fsync:error=EIO:when=1` */
  static async attach(target: TraceTarget, file: string, inject?: string): Promise<Trace> {
    const who = 'thread' in target ? ['-p', `${target.thread}`] : ['-f', '-p', `${target.process}`];
    const paths = 'thread' in target ? [] : target.paths.flatMap((path) => ['-P', path]);
    const args = [
      ...who,
      ...paths,
      '-y',
      '-s',
      '0',
      '-o',
      file,
      ...(inject === undefined ? [] : ['-e', `inject=${inject}`]),
    ];
    const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const trace = new Trace(strace, file);
    await once(strace, 'spawn');
    for await (const line of createInterface({ input: strace.stderr })) {
      if (line.includes('attached')) return trace;
      throw new Error(`strace: ${line}`);
    }
    throw new Error('strace has ended.');
  }

  /** Ends it; the process goes on, if it lives. */
  async detach(): Promise<readonly string[]> {
    this.#strace.kill('SIGTERM');
    await this.#exit;
    const lines = (await readFile(this.#file, 'utf8')).split('\n');
    await rm(this.#file);
    return lines;
  }
}

/** The calls that a trace of a whole process shows, in their order. */
export function callsOf(lines: readonly string[]): SystemCall[] {
  const counts = new Map<string, number>();
  const calls: SystemCall[] = [];
  for (const line of lines) {
    const [, thread = '', name = '', text = ''] = /^(\d+) +([a-z_0-9]+)\((.*)$/.exec(line) ?? [];
    if (name === '') continue; // a signal, an end, or the rest of a call that was shown before
    const count = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, count);
    calls.push({ thread: Number(thread), name, count, text });
  }
  return calls;
}

/** The threads of a process in the order of their making, the main thread first. Numbers alone do not tell: they begin anew at the largest. */
export function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => ({ thread: Number(thread), begun: begunAt(`/proc/${pid}/task/${thread}/stat`) }))
    .sort((a, b) => a.begun - b.begun || a.thread - b.thread)
    .map(({ thread }) => thread);
}

/** In ticks since the system came up: the 22nd field (proc_pid_stat(5)). The second, a name in parentheses, may have spaces. */
function begunAt(stat: string): number {
  const text = readFileSync(stat, 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
}

/** Why no process can be traced here; `undefined` if one can. */
export async function whyNoTrace(): Promise<string | undefined> {
  const file = join(tmpdir(), `nestjs-storages-trace-${process.pid}`);
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    await once(sleeper, 'spawn');
    await (await Trace.attach({ thread: sleeper.pid ?? 0 }, file)).detach();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    sleeper.kill('SIGKILL');
  }
}
