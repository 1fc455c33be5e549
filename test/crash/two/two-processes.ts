import type { Child } from '../../filesystem/process/child.js';
import type { Fault } from '../judge/faults.js';
import { History } from '../judge/history.js';
import { Tally } from '../judge/tally.js';
import { Witness } from '../judge/witness.js';
import type { Programs } from '../process/programs.js';
import type { CrashStore } from '../stores/index.js';
import type { Random } from '../workload/random.js';
import { spin } from '../workload/spin.js';
import { countOf } from './contender.js';
import { Contests } from './contests.js';
import { COUNTERS, SLOTS, type Slot } from './keys.js';

export interface TwoProcesses {
  readonly programs: Programs;
  readonly store: CrashStore;
  readonly variant: string;
  readonly folder: string;
  readonly rounds: number;
  readonly random: Random;
  /** Ends at the first round that has found something. */
  readonly untilFound?: boolean;
}

/** A process of the two, which is heard all the time. */
class Neighbour {
  readonly #child: Child;
  readonly #witness: Witness;
  readonly #listening: Promise<void>;
  #words = 0;
  #onWord: () => void = () => undefined;
  #working = false;
  /** Whether it has ended as it was told to, or was killed. */
  #ended = false;
  #dead = false;

  constructor(run: TwoProcesses, slot: Slot, history: History, contests: Contests) {
    const { programs, store, variant, folder, random } = run;
    this.#child = programs.start('contend', [store.name, variant, folder, `${random.seed()}`, slot]);
    this.#witness = new Witness(this.#child, history);
    this.#listening = this.#witness.lastWords((word, details) => {
      contests.hear(word, details);
      if (word === 'working') this.#working = true;
      if (word === 'ended') this.#ended = true;
      if (this.#working) this.#words++;
      this.#onWord();
    });
    void this.#listening.then(() => {
      this.#dead = true;
      this.#onWord();
    });
  }

  /** Waits until it has said so many things since it began to work, or is dead. */
  async words(count: number): Promise<void> {
    const enough = this.#words + count;
    while (this.#words < enough && !this.#dead) {
      await new Promise<void>((resolve) => {
        this.#onWord = resolve;
      });
    }
  }

  async kill(): Promise<Fault[]> {
    const died = this.#dead && !this.#ended;
    await this.#child.kill();
    await this.#listening;
    this.#ended = true;
    return this.#takeFaults(died);
  }

  /** Lets it come to its end. */
  async end(): Promise<Fault[]> {
    if (this.#dead) return this.kill();
    this.#child.say('end');
    await this.#listening;
    return this.#takeFaults(!this.#ended);
  }

  #takeFaults(died: boolean): Fault[] {
    const death = died ? [{ kind: 'failed' as const, what: 'one of the two died by itself' }] : [];
    const failures = this.#witness.takeFailures().map(({ message }) => ({ kind: 'failed' as const, what: message }));
    return [...death, ...failures, ...this.#witness.takeInventory().faults];
  }
}

/**
 * Two processes on one store. One of them is killed at any moment, again and again, and comes back while the other goes on; in the end one
 * is killed and the other ends by itself, and a third process says what is there.
 */
export async function twoProcesses(run: TwoProcesses): Promise<Tally> {
  const { rounds, random, untilFound } = run;
  const tally = new Tally();
  const history = new History();
  for (; tally.rounds < rounds; tally.rounds++) {
    if (untilFound === true && tally.faults.length > 0) break;
    const contests = new Contests();
    const start = (slot: Slot): Neighbour => new Neighbour(run, slot, history, contests);
    const pair = { a: start('a'), b: start('b') };
    try {
      await Promise.all([pair.a.words(1), pair.b.words(1)]);
      for (let kills = random.between(2, 5); kills > 0; kills--) {
        const slot = random.pick(SLOTS);
        await pair[slot].words(random.between(20, 150));
        await spin(random.between(0, 8000));
        tally.faults.push(...(await pair[slot].kill()));
        pair[slot] = start(slot);
        // it may be killed while it opens
        if (random.between(0, 4) > 0) await pair[slot].words(1);
      }
      tally.faults.push(...(await pair.a.kill()));
      tally.faults.push(...(await pair.b.end()));
    } finally {
      await pair.a.kill();
      await pair.b.kill();
    }
    tally.faults.push(...(await judge(run, history, contests)));
  }
  tally.begun = history.begun;
  tally.acknowledged = history.acknowledged;
  return tally;
}

async function judge(run: TwoProcesses, history: History, contests: Contests): Promise<Fault[]> {
  const { programs, store, variant, folder } = run;
  const child = programs.start('contend', [store.name, variant, folder, '0', 'judge']);
  try {
    const inventory = await new Witness(child, history).until('ended');
    const counted = COUNTERS.map((key) => [key, countOf(inventory.objects.get(key) ?? '')] as const);
    return [...history.judge(inventory), ...contests.judge(new Map(counted))];
  } finally {
    await child.kill();
  }
}
