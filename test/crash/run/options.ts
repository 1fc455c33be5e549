import { parseArgs } from 'node:util';
import { STORES, storeNamed, type CrashStore } from '../stores/index.js';

export const SUITES = ['kill', 'power', 'calls', 'two', 'proof'] as const;
export type Suite = (typeof SUITES)[number];

export interface RunOptions {
  readonly stores: readonly CrashStore[];
  readonly suites: readonly Suite[];
  readonly seed: number;
  readonly killRounds: number;
  readonly powerCuts: number;
  /** Of two processes, each of several kills. */
  readonly twoRounds: number;
  /** Faults of each operation. */
  readonly faults: number;
}

export const USAGE = `npm run test:crash -- [store...] [suite...] [--seed N] [--rounds N] [--faults N]
  stores  ${STORES.map(({ name }) => name).join(', ')}
  suites  kill    kill -9 at random moments
          power   power cuts, on file systems in loop-mounted images (as root)
          calls   every system call of each operation kills its process, or fails (strace)
          two     two processes on one store, killed again and again
          proof   storages that break a promise, which must be found out
  --seed    repeats the random choices
  --rounds  kills, power cuts on each file system, and rounds of two processes, with each durability
  --faults  of each operation, picked at random; by default all of them`;

/** @throws Error that says what is wrong */
export function parseOptions(args: readonly string[]): RunOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seed: { type: 'string' }, rounds: { type: 'string' }, faults: { type: 'string' } },
  });
  const suites = SUITES.filter((suite) => positionals.includes(suite));
  const stores = positionals.filter((word) => !SUITES.some((suite) => suite === word)).map(storeNamed);
  const number = (name: keyof typeof values, otherwise: number): number => {
    const value = values[name];
    if (value === undefined) return otherwise;
    if (!/^\d+$/.test(value)) throw new Error(`--${name} takes a whole number.`);
    return Number(value);
  };
  return {
    stores: stores.length > 0 ? stores : STORES,
    suites: suites.length > 0 ? suites : SUITES,
    seed: number('seed', Date.now() % 1_000_000),
    killRounds: number('rounds', 160),
    powerCuts: number('rounds', 40),
    twoRounds: number('rounds', 40),
    faults: number('faults', Infinity),
  };
}
