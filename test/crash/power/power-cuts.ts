import { History } from '../judge/history.js';
import { Tally } from '../judge/tally.js';
import { Witness } from '../judge/witness.js';
import type { Programs } from '../process/programs.js';
import type { CrashStore } from '../stores/index.js';
import type { Random } from '../workload/random.js';
import { spin } from '../workload/spin.js';
import { LoopDisk, type FileSystem } from './loop-disk.js';

export interface PowerCuts {
  readonly programs: Programs;
  readonly store: CrashStore;
  readonly variant: string;
  readonly fileSystem: FileSystem;
  readonly rounds: number;
  readonly random: Random;
  /** Ends at the first round that has found something. */
  readonly untilFound?: boolean;
}

/**
 * Takes the power from a process that works on a store: the process is stopped, and the disk from then on is what had been written to it. The
 * next process says what it finds there, before it works and is stopped in turn; the last one only looks.
 */
export async function powerCuts(run: PowerCuts): Promise<Tally> {
  const { programs, store, variant, fileSystem, rounds, random, untilFound } = run;
  const tally = new Tally();
  const history = new History();
  const disk = await LoopDisk.make(fileSystem);
  try {
    for (; tally.rounds <= rounds; tally.rounds++) {
      const child = programs.start('work', [store.name, variant, disk.folder, `${random.seed()}`]);
      const witness = new Witness(child, history);
      let cut: (() => Promise<void>) | undefined;
      try {
        tally.faults.push(...history.judge(await witness.until('ready')));
        if (tally.rounds === rounds || (untilFound === true && tally.faults.length > 0)) break;
        await witness.steps(random.between(20, 200));
        await spin(random.between(0, 5000));
        await child.stop();
        cut = await disk.capture();
      } finally {
        await child.kill();
      }
      await witness.lastWords();
      tally.faults.push(...witness.takeFailures().map(({ message }) => ({ kind: 'failed' as const, what: message })));
      await cut();
    }
  } finally {
    await disk.remove();
  }
  tally.begun = history.begun;
  tally.acknowledged = history.acknowledged;
  return tally;
}
