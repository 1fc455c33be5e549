import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A Node process of its own that runs one of the programs beside this file, or in another folder that has a register.js of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  #errors = '';

  constructor(program: string, args: readonly string[], folder = HERE) {
    this.#process = spawn(
      process.execPath,
      ['--no-warnings', '--import', `${folder}register.js`, `${folder}${program}.ts`, ...args],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
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
