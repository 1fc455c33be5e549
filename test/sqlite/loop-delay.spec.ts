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

/** How late the loop of a process is that writes a stream, in a process of its own. */
function written(kind: 'sqlite' | 'files', mebibytes: number): Promise<Delay> {
  return withFile(async (_filename, folder) => {
    const child = startChild('loop-delay', [kind, folder, String(mebibytes)]);
    const delay = JSON.parse(await child.line()) as Delay;
    await child.end();
    expect(delay.same).toBe(true);
    return delay;
  });
}

describe('the event loop', () => {
  it('is little later while 256 MiB go into the database than while they go into a file', async () => {
    const sqlite: Delay[] = [];
    const files: Delay[] = [];
    // in turns, and the best of each: what else the machine does can only add to it, what a storage itself does is in every round
    for (let round = 0; round < 5; round++) {
      sqlite.push(await written('sqlite', 256));
      files.push(await written('files', 256));
    }
    const [ours, theirs] = [sqlite, files].map((delays) => ({
      p99: Math.min(...delays.map(({ p99 }) => p99)),
      longest: Math.min(...delays.map(({ longest }) => longest)),
    }));
    expect(ours?.p99).toBeLessThanOrEqual(1.5 * (theirs?.p99 ?? 0));
    expect(ours?.longest).toBeLessThanOrEqual(2 * (theirs?.longest ?? 0));
    for (const { peakMiB, logMiB } of sqlite) {
      expect(peakMiB).toBeLessThan(160); // the page caches of both connections have 64
      expect(logMiB).toBeLessThan(150);
    }
  }, 240_000);
});
