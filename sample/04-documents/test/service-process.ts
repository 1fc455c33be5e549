import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The sample's own program in a process of its own, with a folder of its own. */
export class ServiceProcess {
  /** What it has written on its console. */
  output = '';
  url = '';

  private constructor(
    readonly child: ChildProcess,
    /** All that is stored. */
    readonly root: string,
  ) {}

  static async start(env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
    const root = await mkdtemp(join(tmpdir(), 'documents-'));
    const program = ['--import', path('../../../test/upload/process/typescript.js'), path('../src/main.ts')];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], {
      env: { ...process.env, PORT: '0', DOCUMENTS_ROOT: root, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new ServiceProcess(child, root);
    await new Promise<void>((resolve, reject) => {
      const read = (words: Buffer): void => {
        running.output += words.toString();
        const [, url] = /listens at (\S+?)\/? on/.exec(running.output) ?? [];
        if (url === undefined || !running.output.includes('Ctrl+C')) return;
        running.url = url.replace('localhost', '127.0.0.1');
        resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => {
        reject(new Error(`The program ended before it listened: ${running.output}`));
      });
    });
    return running;
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exit;
    await rm(this.root, { recursive: true });
  }
}
