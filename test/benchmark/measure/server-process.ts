import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Usage {
  /** User and system time since the last question, in seconds. */
  readonly cpu: number;
  /** Largest resident memory above the idle server, in bytes. */
  readonly peakOverIdle: number;
}

/** A server under measurement in a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(kind: string, root: string): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL('../upload/server.js', import.meta.url)), [kind, root], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new ServerProcess(child, message.port);
  }

  /** Asks for the usage since the last question, and starts counting anew. */
  async usage(): Promise<Usage> {
    this.#child.send('usage');
    const [usage] = (await once(this.#child, 'message')) as [Usage];
    return usage;
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.send('stop');
    await exit;
  }
}
