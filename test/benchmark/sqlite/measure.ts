import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What some work cost this process, all its threads together. */
export interface Measured {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Bytes of resident memory above what was resident before. */
  readonly peakMemory: number;
  /** Milliseconds by which the loop was late, beyond the timer's own period. */
  readonly p99Delay: number;
  readonly longestStall: number;
}

/** Milliseconds between two looks at the loop. */
const RESOLUTION = 5;
/** Milliseconds between two looks at the memory. */
const SAMPLE_EVERY = 50;

/** What one round has left behind is not for the next to clear away. As `node --expose-gc` has it, without the flag. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}

export async function measure(work: () => Promise<unknown>): Promise<Measured> {
  collectGarbage();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  const memoryBefore = process.memoryUsage.rss();
  let peak = memoryBefore;
  // the histogram says nothing of a loop that did not turn at all
  let turned = performance.now();
  let longest = 0;
  const sampling = setInterval(() => {
    longest = Math.max(longest, performance.now() - turned - SAMPLE_EVERY);
    turned = performance.now();
    peak = Math.max(peak, process.memoryUsage.rss());
  }, SAMPLE_EVERY);
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  delay.enable();
  try {
    await work();
  } finally {
    delay.disable();
    clearInterval(sampling);
  }
  const wall = performance.now() - begun;
  longest = Math.max(longest, performance.now() - turned - SAMPLE_EVERY);
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: wall / 1000,
    peakMemory: Math.max(peak, process.memoryUsage.rss()) - memoryBefore,
    p99Delay: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION),
    longestStall: Math.max(longest, delay.max / 1e6 - RESOLUTION),
  };
}

/** The one in the middle: of numbers, or of anything by a number of it. */
export function median(values: readonly number[]): number;
export function median<T>(values: readonly T[], by: (value: T) => number): T;
export function median<T>(values: readonly T[], by: (value: T) => number = Number): T {
  const middle = [...values].sort((a, b) => by(a) - by(b))[Math.floor(values.length / 2)];
  if (middle === undefined) throw new Error('There is no median of nothing.');
  return middle;
}
