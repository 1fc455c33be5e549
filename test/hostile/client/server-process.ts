import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromServer, Question, Ready, ServerSetup, Vitals } from '../server/protocol.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `server.ts` in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Vitals | undefined) => void>();
  readonly exited: Promise<unknown>;
  #next = 0;

  private constructor(
    child: ChildProcess,
    readonly ready: Ready,
  ) {
    this.#child = child;
    this.exited = once(child, 'exit');
    child.on('message', (message: FromServer) => {
      if (!('id' in message)) return;
      this.#waiting.get(message.id)?.(message.answer);
      this.#waiting.delete(message.id);
    });
  }

  static async start(setup: ServerSetup): Promise<ServerProcess> {
    const child = fork(here('../server/server.ts'), [JSON.stringify(setup)], {
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        ...['--import', here('../../upload/process/typescript.js')],
        ...(setup.nest === 11 ? ['--import', here('./nest-11.js')] : []),
      ],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const died = once(child, 'exit').then(() => {
      throw new Error(`The server for ${JSON.stringify(setup)} ended before it listened.`);
    });
    const [message] = (await Promise.race([once(child, 'message'), died])) as [{ readonly ready: Ready }];
    died.catch(() => undefined);
    return new ServerProcess(child, message.ready);
  }

  get port(): number {
    return this.ready.port;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @returns undefined also where the process has ended */
  async ask(question: Question): Promise<Vitals | undefined> {
    if (!this.#child.connected) return undefined;
    const id = this.#next++;
    const answer = new Promise<Vitals | undefined>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ ...question, id });
    return Promise.race([answer, this.exited.then(() => undefined)]);
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.exited;
  }
}
