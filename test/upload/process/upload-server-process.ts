import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface MemoryReport {
  /** Resident memory now, in bytes. */
  readonly resident: number;
  /** Largest resident memory since the last report, in bytes. */
  readonly peak: number;
}

/** `upload-server.ts` in a process of its own. */
export class UploadServerProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(root: string): Promise<UploadServerProcess> {
    const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const child = fork(here('./upload-server.ts'), [root], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--import', here('./typescript.js')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new UploadServerProcess(child, message.port);
  }

  async memory(): Promise<MemoryReport> {
    this.child.send('memory');
    const [report] = (await once(this.child, 'message')) as [MemoryReport];
    return report;
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.disconnect();
    await exit;
  }
}
