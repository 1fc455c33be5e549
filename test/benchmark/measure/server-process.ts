import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Question, Usage } from './usage.js';

const UPLOADS = new URL('../upload/server.js', import.meta.url);

/** A server under measurement in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(kind: string, root: string, program = UPLOADS): Promise<ServerProcess> {
    const child = fork(fileURLToPath(program), [kind, root], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
    });
    const { port } = await answer(child);
    return new ServerProcess(child, numberIn(port));
  }

  /** The server is warm: its memory now, after a collection, is what its largest is compared with. */
  async idle(): Promise<void> {
    await this.#ask('idle');
  }

  async begin(): Promise<void> {
    await this.#ask('begin');
  }

  /** The CPU since {@link begin}, the largest memory since {@link idle}. */
  async end(): Promise<Usage> {
    const { cpu, peakOverIdle } = await this.#ask('end');
    return { cpu: numberIn(cpu), peakOverIdle: numberIn(peakOverIdle) };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.send('stop');
    await exit;
  }

  #ask(question: Question): Promise<Record<string, unknown>> {
    this.#child.send(question);
    return answer(this.#child);
  }
}

/** Its next message; a server that ends instead fails the run rather than to leave it waiting. */
async function answer(child: ChildProcess): Promise<Record<string, unknown>> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }) as Promise<unknown[]>,
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A server ended with ${String(code)} while it was measured.`);
      }),
    ]);
    if (typeof message !== 'object' || message === null) throw new Error('A server answered with no object.');
    return { ...message };
  } finally {
    settled.abort();
  }
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new Error('A server answered without a number.');
  return value;
}
