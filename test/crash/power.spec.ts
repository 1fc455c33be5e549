import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { whyNoDisk } from './power/loop-disk.js';
import { powerCuts } from './power/power-cuts.js';
import { Programs } from './process/programs.js';
import { STORES } from './stores/index.js';
import { Random } from './workload/random.js';

let programs: Programs;
let why: string | undefined;
beforeAll(async () => {
  programs = await Programs.compile();
  why = await whyNoDisk('ext4');
  if (why !== undefined && process.env['CI'] !== 'true') {
    console.log(
      `Power cuts were not run: no disk image could be mounted here (${why}). It takes root and loop devices.`,
    );
  }
});
afterAll(() => programs.remove());

// the long form, on XFS too, is `npm run test:crash`
const ROUNDS = 3;
const ROUNDS_OF_PROOF = 60;

describe.each(STORES)('a power cut at any moment, on $name', (store) => {
  const seed = Date.now() % 1_000_000;
  const title = `(seed ${seed})`;

  /** @returns `false` where it cannot be, which is a failure only where everything must run */
  const isPossible = (): boolean => {
    if (process.env['CI'] === 'true') expect(why).toBeUndefined();
    return why === undefined;
  };

  it(`has lost nothing of what it acknowledged, and left nothing but whole objects ${title}`, async () => {
    if (!isPossible()) return;
    const random = new Random(seed);
    const tally = await powerCuts({ programs, store, variant: 'full', fileSystem: 'ext4', rounds: ROUNDS, random });
    expect(tally.faults).toEqual([]);
    expect(tally.acknowledged).toBeGreaterThan(0);
  }, 120_000);

  it.each(['fast', ...store.brokenInPowerCuts])(
    `is found out when it flushes too little: %s ${title}`,
    async (variant) => {
      if (!isPossible()) return;
      const random = new Random(seed);
      const rounds = ROUNDS_OF_PROOF;
      const untilFound = true;
      const tally = await powerCuts({ programs, store, variant, fileSystem: 'ext4', rounds, random, untilFound });
      expect(tally.faults).not.toEqual([]);
      if (variant === 'fast') expect(tally.faultsBut(store.lostWhenFast)).toEqual([]);
    },
    120_000,
  );
});
