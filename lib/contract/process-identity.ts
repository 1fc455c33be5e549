// Shared by backends that several processes use at once; nothing that an application sees.
import { hash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** What tells a process from every other one, also after its pid has been given out again. `0` where the system does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot of the machine to the start of the process. */
  readonly start: string;
  readonly boot: string;
  readonly namespace: string;
}

const OWNER = /^(\d+)\.(\d+)\.([0-9a-f]+)\.([0-9a-f]+)\.[0-9a-f]+$/;

/** @returns `pid.start.boot.namespace.instance` */
export function ownerId({ pid, start, boot, namespace }: ProcessIdentity, instance: string): string {
  return `${pid}.${start}.${boot}.${namespace}.${instance}`;
}

export function parseOwner(id: string): ProcessIdentity | undefined {
  const [, pid, start, boot, namespace] = OWNER.exec(id) ?? [];
  if (pid === undefined || start === undefined || boot === undefined || namespace === undefined) return undefined;
  return { pid: Number(pid), start, boot, namespace };
}

export function processIdentity(): ProcessIdentity {
  const boot = ifPossible(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const namespace = ifPossible(() => readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    start: processStat(process.pid)?.start ?? '0',
    boot: boot === undefined ? '0' : hash('sha256', boot).slice(0, 8),
    namespace: namespace === undefined ? '0' : hash('sha256', namespace).slice(0, 8),
  };
}

/** Whether the process is gone for certain. Only sound within one boot and one pid namespace. */
export function isProcessGone({ pid, start }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const stat = processStat(pid);
  // A zombie with more than one thread is a process whose first thread has ended.
  return stat !== undefined && (stat.start !== start || (/[ZX]/.test(stat.state) && stat.threads <= 1));
}

/** Fields of proc_pid_stat(5), counted from behind the name, which may hold anything. */
function processStat(
  pid: number,
): { readonly state: string; readonly threads: number; readonly start: string } | undefined {
  const text = ifPossible(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, threads, start] = [fields?.[0], fields?.[17], fields?.[19]];
  if (state === undefined || threads === undefined || start === undefined) return undefined;
  return { state, threads: Number(threads), start };
}

/** Systems without /proc, or with a part of it hidden, simply say less. */
const HIDDEN: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'ESRCH', 'EINVAL']);

/**
 * In this very turn: files of /proc wait for no disk.
 *
 * @throws whatever else fails: without descriptors (EMFILE) a process would take itself for one of another boot, and its neighbours it for dead
 */
function ifPossible(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (HIDDEN.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}
