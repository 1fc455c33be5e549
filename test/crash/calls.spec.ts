import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CallFaults, faultsAt } from './calls/call-faults.js';
import { callPointsOf } from './calls/call-points.js';
import { whyNoTrace } from './calls/trace.js';
import { Programs } from './process/programs.js';
import { inFolder } from './run/temporary-folder.js';
import { STORES } from './stores/index.js';
import { Random } from './workload/random.js';

let programs: Programs;
let why: string | undefined;
beforeAll(async () => {
  programs = await Programs.compile();
  why = await whyNoTrace();
  if (why !== undefined && process.env['CI'] !== 'true') {
    console.log(`System calls were not disturbed: strace cannot be run here (${why}).`);
  }
});
afterAll(() => programs.remove());

// the long form, every fault of every operation, is `npm run test:crash`
const FAULTS = 8;

describe.each(STORES)('an operation whose system calls fail or kill its process, on $name', (store) => {
  const seed = Date.now() % 1_000_000;

  it.each(['put of a stream', 'overwrite', 'delete', 'move onto another'])(
    `leaves the old object or the new one, and fails with the right error: %s (seed ${seed})`,
    async (operation) => {
      if (process.env['CI'] === 'true') expect(why).toBeUndefined();
      if (why !== undefined) return;
      await inFolder(async (folder) => {
        const subject = { programs, store, folder };
        const faults = faultsAt(await callPointsOf(operation, subject));
        const run = new CallFaults(subject);
        const drawn = new Random(seed).sample(faults, Math.min(3 * FAULTS, faults.length));
        const met = (): number => run.tally.rounds - run.missed;
        // a stream is written in more calls or fewer, as its chunks come: one that was drawn may not be made
        for (let at = 0; at < drawn.length && met() <= FAULTS / 2; at += FAULTS) {
          await run.run(drawn.slice(at, at + FAULTS));
        }
        expect(run.tally.faults).toEqual([]);
        expect(met()).toBeGreaterThan(FAULTS / 2);
      });
    },
    120_000,
  );
});
