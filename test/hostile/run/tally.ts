import type { ServerSetup } from '../server/protocol.js';
import type { Outcome } from './siege.js';

/** What a case may take of the event loop, in milliseconds. */
const LOOP_MS = 200;

const NOTHING = {
  cases: 0,
  /** As ours must be. Nest's own interceptors promise less, and have other codes: it is not shown of them. */
  passed: 0,
  /** Nothing of what follows: an answer or an end in time, and a server that is as it was. */
  sound: 0,
  hangs: 0,
  '5xx': 0,
  /** A connection that neither worked on nor was announced closed. */
  stuck: 0,
  left: 0,
  descriptors: 0,
  blocked: 0,
  /** An exception or rejection that nobody took: it ends a process. */
  died: 0,
  polluted: 0,
  /** Process warnings: listeners that pile up. */
  warnings: 0,
};

type Counts = Record<keyof typeof NOTHING, number>;

/** What the cases did to one server, without a view on what its answers should have been. */
export class Tally {
  readonly #setup: ServerSetup;
  readonly #counts: Counts = { ...NOTHING };
  #longest = 0;

  constructor(setup: ServerSetup) {
    this.#setup = setup;
  }

  add({ faults, hung, replies, stuck, vitals }: Outcome): void {
    const wrong = {
      hangs: hung,
      '5xx': replies.some(({ status }) => Number(status) >= 500),
      stuck: stuck.length > 0,
      died: vitals === undefined || vitals.deaths.length > 0,
      left: (vitals?.left.length ?? 0) > 0,
      descriptors: (vitals?.descriptors.length ?? 0) > 0,
      blocked: (vitals?.blocked ?? 0) > LOOP_MS,
      polluted: (vitals?.polluted.length ?? 0) > 0,
      warnings: (vitals?.warnings.length ?? 0) > 0,
    };
    this.#counts.cases++;
    if (faults.length === 0) this.#counts.passed++;
    if (!Object.values(wrong).includes(true)) this.#counts.sound++;
    for (const [what, holds] of Object.entries(wrong)) {
      if (holds) this.#counts[what as keyof typeof wrong]++;
    }
    if (vitals === undefined) return;
    this.#longest = Math.max(this.#longest, vitals.blocked);
  }

  /** A line of the table. */
  row(): Readonly<Record<string, string | number>> {
    const { library, platform, backend, nest } = this.#setup;
    const name = library === 'ours' ? `ours, ${backend}` : 'FileInterceptor, disk';
    const { passed, ...counts } = this.#counts;
    return {
      uploads: name,
      platform: `${platform}, Nest ${nest}`,
      passed: library === 'ours' ? passed : '',
      ...counts,
      'longest block (ms)': this.#longest,
    };
  }
}
