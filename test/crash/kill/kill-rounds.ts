import { History } from '../judge/history.js';
import { Tally } from '../judge/tally.js';
import { Witness } from '../judge/witness.js';
import type { Programs } from '../process/programs.js';
import type { CrashStore } from '../stores/index.js';
import type { Random } from '../workload/random.js';
import { spin } from '../workload/spin.js';

export interface KillRounds {
  readonly programs: Programs;
  readonly store: CrashStore;
  readonly variant: string;
  readonly folder: string;
  readonly rounds: number;
  readonly random: Random;
  /** Ends at the first round that has found something. */
  readonly untilFound?: boolean;
}

/** One process in so many is killed while it still opens the store: it may be mending what the last one left. */
const KILLED_EARLY = 4;

/**
 * Kills a process that works on a store, at any moment, again and again. The next one says what it finds, before it works and is killed in
 * turn; the last one only looks.
 */
export async function killRounds(run: KillRounds): Promise<Tally> {
  const { programs, store, variant, folder, rounds, random, untilFound } = run;
  const tally = new Tally();
  const history = new History();
  for (; tally.rounds <= rounds; tally.rounds++) {
    if (random.between(0, KILLED_EARLY) === 0) await killOpening(run);
    const child = programs.start('work', [store.name, variant, folder, `${random.seed()}`]);
    const witness = new Witness(child, history);
    try {
      tally.faults.push(...history.judge(await witness.until('ready')));
      if (tally.rounds === rounds || (untilFound === true && tally.faults.length > 0)) break;
      await witness.steps(random.between(5, 120));
      await spin(random.between(0, 8000));
    } finally {
      await child.kill();
    }
    await witness.lastWords();
    tally.faults.push(...witness.takeFailures().map(({ message }) => ({ kind: 'failed' as const, what: message })));
  }
  tally.begun = history.begun;
  tally.acknowledged = history.acknowledged;
  return tally;
}

async function killOpening({ programs, store, variant, folder, random }: KillRounds): Promise<void> {
  const child = programs.start('work', [store.name, variant, folder, '0']);
  try {
    await new Witness(child, new History()).until('opening');
    await spin(random.between(0, 30_000));
  } finally {
    await child.kill();
  }
}
