import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

export interface ChildOptions {
  /** Whether the program is JavaScript already. */
  readonly compiled?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** A Node process of its own that runs one of the programs beside this file, or in another folder that has a register.js of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  #errors = '';

  constructor(
    program: string,
    args: readonly string[],
    folder = HERE,
    { compiled = false, env = process.env }: ChildOptions = {},
  ) {
    const script = compiled
      ? [`${folder}${program}.js`]
      : ['--import', `${folder}register.js`, `${folder}${program}.ts`];
    this.#process = spawn(process.execPath, ['--no-warnings', ...script, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('The child has no pipes.');
    stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#exit = once(this.#process, 'exit');
  }

  /** The next line that the program says. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`The child has ended. ${this.#errors}`);
    return next.value;
  }

  /** What it said and nobody has asked for, once it has ended. */
  rest(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#lines };
  }

  say(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('The child was not started.');
    return pid;
  }

  /** Resolves when none of its threads runs any more, nor waits for a disk. */
  async stop(): Promise<void> {
    this.#process.kill('SIGSTOP');
    const threads = `/proc/${this.pid}/task`;
    const isStopped = (thread: string): boolean => {
      try {
        const stat = readFileSync(`${threads}/${thread}/stat`, 'utf8');
        return stat.charAt(stat.lastIndexOf(')') + 2) === 'T';
      } catch (error) {
        // one that was about to end has ended since it was listed
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'ENOENT' || code === 'ESRCH') return true;
        throw error;
      }
    };
    while (!readdirSync(threads).every(isStopped)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** As a crash does it: no handler runs. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }

  /** Waits for the program's own end. */
  async end(): Promise<void> {
    this.#process.stdin?.end();
    await this.#exit;
    if (this.#process.exitCode !== 0) throw new Error(`The child failed. ${this.#errors}`);
  }
}
