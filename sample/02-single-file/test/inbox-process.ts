import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The sample's own program in a process of its own, for what ends a process. */
export class InboxProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(file: string): Promise<InboxProcess> {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--import',
        path('../../../test/upload/process/typescript.js'),
        path('../src/main.ts'),
      ],
      { env: { ...process.env, INBOX_FILE: file, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    for await (const words of child.stdout) {
      said += String(words);
      const [, url] = /is open at (\S+?)\/?\n/.exec(said) ?? [];
      if (url !== undefined) return new InboxProcess(child, url.replace('localhost', '127.0.0.1'));
    }
    throw new Error(`The program ended before it listened: ${said}`);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}
