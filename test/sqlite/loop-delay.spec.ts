import { describe, expect, it } from '@jest/globals';
import { startChild } from './process/child.js';
import { withFile } from './temporary-database.js';

interface Delay {
  /** Milliseconds. */
  readonly p99: number;
  readonly longest: number;
  readonly peakMiB: number;
  readonly logMiB: number;
  readonly same: boolean;
}

/** How late the loop of a process is that writes a stream into the database, in a process of its own. */
function written(mebibytes: number): Promise<Delay> {
  return withFile(async (_filename, folder) => {
    const child = startChild('loop-delay', ['sqlite', folder, String(mebibytes)]);
    const delay = JSON.parse(await child.line()) as Delay;
    await child.end();
    expect(delay.same).toBe(true);
    return delay;
  });
}

/** Milliseconds. A BLOB of this size written on the main thread holds the loop for seconds, chunks on it for 27 ms at a time. */
const LONGEST_STALL = 100;

describe('the event loop', () => {
  // How late it is beside one that writes a plain file is measured by `npm run bench -- sqlite`, on a machine that has nothing else to do.
  it('goes on while 256 MiB go into the database', async () => {
    const delays = [await written(256), await written(256), await written(256)];
    // the best: what else the machine does can only add to it, what the storage itself does is in every round
    expect(Math.min(...delays.map(({ longest }) => longest))).toBeLessThan(LONGEST_STALL);
    expect(Math.min(...delays.map(({ p99 }) => p99))).toBeLessThan(LONGEST_STALL / 4);
    for (const { peakMiB, logMiB } of delays) {
      expect(peakMiB).toBeLessThan(160); // the page caches of both connections have 64
      expect(logMiB).toBeLessThan(150);
    }
  }, 240_000);
});
