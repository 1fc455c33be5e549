import { readdirSync, readlinkSync } from 'node:fs';
import { EventLoop } from './event-loop.js';
import type { Vitals } from './protocol.js';

type Seen = Omit<Vitals, 'left'>;

const BUILT_IN = { Object, Array, Function, String, Buffer, Map };

/** Sees what an upload does to the process beside its answer. */
export class ProcessWatch {
  readonly #loop = new EventLoop();
  #warnings: string[] = [];
  #deaths: string[] = [];
  #descriptors = openDescriptors();
  readonly #properties = builtInProperties();

  constructor() {
    process.on('warning', ({ name, message }) => {
      if (name !== 'ExperimentalWarning' && name !== 'DeprecationWarning') this.#warnings.push(`${name}: ${message}`);
    });
    const died = (reason: unknown): void => {
      this.#deaths.push(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
    };
    process.on('unhandledRejection', died).on('uncaughtException', died);
  }

  begin(): void {
    this.#warnings = [];
    this.#deaths = [];
    this.#descriptors = openDescriptors();
    this.#loop.reset();
  }

  seen(): Seen {
    return {
      descriptors: added(this.#descriptors, openDescriptors()),
      blocked: Math.round(this.#loop.blocked()),
      warnings: this.#warnings,
      deaths: this.#deaths,
      polluted: added(this.#properties, builtInProperties()),
    };
  }
}

/** What of the later list is not in the earlier one, each as often as it is too many. */
function added(earlier: readonly string[], later: readonly string[]): string[] {
  const left = [...earlier];
  return later.filter((entry) => {
    const index = left.indexOf(entry);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

/** By what they lead to; sockets and pipes without their numbers. */
function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`).replace(/:\[\d+\]$/, '')];
    } catch {
      return []; // the one that this listing itself was read from
    }
  });
}

function builtInProperties(): string[] {
  const own = Object.entries(BUILT_IN).flatMap(([name, { prototype }]) =>
    Reflect.ownKeys(prototype as object).map((key) => `${name}.prototype.${String(key)}`),
  );
  // what a plain object inherits, however it came there
  for (const key in {}) own.push(`({}).${key}`);
  return own;
}
