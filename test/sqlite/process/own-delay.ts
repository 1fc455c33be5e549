import { closeSync, openSync, readSync } from 'node:fs';

/** Milliseconds between two looks. */
const LOOK_EVERY = 1;

/**
 * How late the event loop of the main thread is by what the process itself does: the time in which the thread was ready to run and had no processor,
 * because others had it, is taken off. Linux counts that (`/proc/<pid>/schedstat`, its second number, in nanoseconds); elsewhere nothing is taken off.
 */
export class OwnDelay {
  readonly #stats: number | undefined = openStats();
  readonly #buffer = Buffer.alloc(64);
  readonly #delays: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #looked = performance.now();
  #waited = this.#waitedFor();

  constructor() {
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_EVERY);
  }

  /** @returns milliseconds: what 99 of 100 looks were no later than, and the longest */
  end(): { readonly p99: number; readonly longest: number } {
    clearInterval(this.#timer);
    this.#look();
    if (this.#stats !== undefined) closeSync(this.#stats);
    const sorted = this.#delays.sort((a, b) => a - b);
    return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, longest: sorted.at(-1) ?? 0 };
  }

  #look(): void {
    const [now, waited] = [performance.now(), this.#waitedFor()];
    this.#delays.push(Math.max(0, now - this.#looked - LOOK_EVERY - (waited - this.#waited)));
    this.#looked = now;
    this.#waited = waited;
  }

  /** Milliseconds for which the thread has waited for a processor since it began. */
  #waitedFor(): number {
    if (this.#stats === undefined) return 0;
    const length = readSync(this.#stats, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  }
}

function openStats(): number | undefined {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
}
