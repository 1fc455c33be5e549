import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Programs } from './process/programs.js';
import { inFolder } from './run/temporary-folder.js';
import { filesystemStore } from './stores/filesystem-store.js';
import { twoProcesses } from './two/two-processes.js';
import { Random } from './workload/random.js';

let programs: Programs;
beforeAll(async () => {
  programs = await Programs.compile();
});
afterAll(() => programs.remove());

// the long form, on SQLite too, is `npm run test:crash`
const ROUNDS = 1;
const ROUNDS_OF_PROOF = 10;
/** Found out in a round or two; the others in the long form. */
const FOUND_AT_ONCE = ['without the lock', 'moving objects on overwrite', 'sweeping everything'];

describe('two processes on one root that are killed again and again', () => {
  const store = filesystemStore;
  const seed = Date.now() % 1_000_000;
  const title = `(seed ${seed})`;

  it.each(['full', 'fast'])(
    `lose nothing of each other's, and never both have what only one may have: %s ${title}`,
    (variant) =>
      inFolder(async (folder) => {
        const random = new Random(seed);
        const tally = await twoProcesses({ programs, store, variant, folder, rounds: ROUNDS, random });
        expect(tally.faults).toEqual([]);
        expect(tally.acknowledged).toBeGreaterThan(0);
      }),
    120_000,
  );

  it.each(store.brokenBetweenProcesses.filter((variant) => FOUND_AT_ONCE.includes(variant)))(
    `are found out when they break a promise by %s ${title}`,
    (variant) =>
      inFolder(async (folder) => {
        const random = new Random(seed);
        const rounds = ROUNDS_OF_PROOF;
        const tally = await twoProcesses({ programs, store, variant, folder, rounds, random, untilFound: true });
        expect(tally.faults).not.toEqual([]);
      }),
    120_000,
  );
});
