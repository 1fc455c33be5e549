import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killRounds } from './kill/kill-rounds.js';
import { Programs } from './process/programs.js';
import { inFolder } from './run/temporary-folder.js';
import { STORES } from './stores/index.js';
import { Random } from './workload/random.js';

let programs: Programs;
beforeAll(async () => {
  programs = await Programs.compile();
});
afterAll(() => programs.remove());

// the long form is `npm run test:crash`
const ROUNDS = 3;
const ROUNDS_OF_PROOF = 60;

describe.each(STORES)('a process that is killed at any moment, on $name', (store) => {
  const seed = Date.now() % 1_000_000;
  const title = `(seed ${seed})`;

  it.each(['full', 'fast'])(
    `has lost nothing of what it acknowledged, and left nothing but whole objects: %s ${title}`,
    (variant) =>
      inFolder(async (folder) => {
        const random = new Random(seed);
        const tally = await killRounds({ programs, store, variant, folder, rounds: ROUNDS, random });
        expect(tally.faults).toEqual([]);
        expect(tally.acknowledged).toBeGreaterThan(0);
      }),
    120_000,
  );

  it.each([...store.broken])(
    `is found out when it breaks a promise by %s ${title}`,
    (variant) =>
      inFolder(async (folder) => {
        const random = new Random(seed);
        const rounds = ROUNDS_OF_PROOF;
        const tally = await killRounds({ programs, store, variant, folder, rounds, random, untilFound: true });
        expect(tally.faults).not.toEqual([]);
      }),
    120_000,
  );
});
