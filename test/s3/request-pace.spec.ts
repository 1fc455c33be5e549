import { describe, expect, it } from '@jest/globals';
import { RequestPace } from '../../lib/backends/s3/request-pace.js';

/** In which turn of the event loop each of so many requests begins that are made at once. */
async function turnsOf(pace: RequestPace, requests: number): Promise<number[]> {
  let turn = 0;
  let ticking = setImmediate(function tick() {
    turn++;
    ticking = setImmediate(tick);
  });
  const turns: number[] = [];
  await Promise.all(Array.from({ length: requests }, async (_, index) => (await pace.turn(), (turns[index] = turn))));
  clearImmediate(ticking);
  return turns;
}

describe('The pace of requests to S3', () => {
  it('lets a few begin at once', async () => {
    expect(await turnsOf(new RequestPace(), 8)).toEqual(Array(8).fill(0));
  });

  it('spreads a burst over turns of the event loop, in order and never more than eight in one', async () => {
    const turns = await turnsOf(new RequestPace(), 100);
    expect(turns).toEqual(turns.toSorted((a, b) => a - b));
    for (const turn of turns) expect(turns.filter((other) => other === turn).length).toBeLessThanOrEqual(8);
  });

  it('lets a few begin at once again after a burst', async () => {
    const pace = new RequestPace();
    await turnsOf(pace, 20);
    await new Promise(setImmediate);
    expect(await turnsOf(pace, 8)).toEqual(Array(8).fill(0));
  });
});
