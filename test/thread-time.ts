import { readdirSync, readFileSync } from 'node:fs';

/** Times of a thread since its start, in milliseconds. */
interface ThreadTimes {
  /** For which it has had a core. The collector's and the thread pool's work beside it is not its own. */
  readonly work: number;
  /** For which it could have gone on, and other threads had the cores. */
  readonly wait: number;
}

/** By Linux (`schedstat`: nanoseconds at work and in the queue). */
function timesOf(pid: number, thread: number | string): ThreadTimes {
  const [work, wait] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
  return { work: Number(work) / 1e6, wait: Number(wait) / 1e6 };
}

/** Only Linux tells. Elsewhere the work is the whole process's, and nothing is known of waits. */
export function timesOfThread(): ThreadTimes {
  if (process.platform === 'linux') return timesOf(process.pid, process.pid);
  const { user, system } = process.cpuUsage();
  return { work: (user + system) / 1000, wait: 0 };
}

function waitOfThread(pid: number, thread: string): number {
  try {
    return timesOf(pid, thread).wait;
  } catch {
    return 0; // it has ended
  }
}

/** How long the threads of a process could have gone on while others had the cores, all together, in milliseconds; 0 where nobody tells. */
export function waitOfProcess(pid: number): number {
  if (process.platform !== 'linux') return 0;
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + waitOfThread(pid, thread), 0);
  } catch {
    return 0; // it has ended
  }
}

/** How long the main thread has been at work, in milliseconds: what other processes do meanwhile adds nothing. */
export function workOfThread(): number {
  return timesOfThread().work;
}

/**
 * Asks again and again, in every turn of the event loop, whether something holds, and gives up after a time by the clock less that for which
 * others had the cores: a promise of the library's on its own time is held to it on a busy machine too, and on an idle one to the clock alone.
 *
 * @returns whether it came to hold
 */
export async function holdsWithin(milliseconds: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const begin = performance.now();
  const { wait } = timesOfThread();
  for (;;) {
    if (await holds()) return true;
    if (performance.now() - begin - (timesOfThread().wait - wait) > milliseconds) return false;
    await new Promise(setImmediate);
  }
}
