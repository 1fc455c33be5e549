import { readFileSync, writeFileSync } from 'node:fs';

/** What a server has used, between two questions of the bench. */
export interface Usage {
  /** User and system time of all its threads, in seconds. */
  readonly cpu: number;
  /** Largest resident memory above the idle server, in bytes. */
  readonly peakOverIdle: number;
}

export const QUESTIONS = ['idle', 'begin', 'end', 'stop'] as const;
export type Question = (typeof QUESTIONS)[number];

/** Resident memory in bytes, now (`VmRSS`) or at most (`VmHWM`), both as the kernel counts them (proc(5)). */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** What warming up has left is nobody's, neither to be collected in the measured time nor to be counted as idle. */
function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('A server under measurement runs with --expose-gc.');
  globalThis.gc();
}

/** The CPU and memory of this process. */
export class UsageCounter {
  #idle = Number.NaN;
  #cpu = process.cpuUsage();

  /** From here on the largest memory counts. */
  idle(): void {
    collectGarbage();
    // begins VmHWM anew (proc(5))
    writeFileSync('/proc/self/clear_refs', '5');
    this.#idle = memory('VmRSS');
  }

  /** From here on the CPU counts. */
  begin(): void {
    collectGarbage();
    this.#cpu = process.cpuUsage();
  }

  end(): Usage {
    const { user, system } = process.cpuUsage(this.#cpu);
    return { cpu: (user + system) / 1e6, peakOverIdle: memory('VmHWM') - this.#idle };
  }
}
