import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GROUPS } from '../cases/index.js';
import { PLATFORMS } from '../server/protocol.js';
import { Siege } from './siege.js';

/** Above the time of the slowest case, in milliseconds: the case's own limit is the one that counts. */
const JEST_MS = 60_000;

/** Every hostile case on one backend, on each platform, as tests. */
export function besiege(backend: string): void {
  describe.each(PLATFORMS)('On %s', (platform) => {
    let siege: Siege;

    beforeAll(async () => {
      const { nestMajor } = globalThis as { nestMajor?: number };
      siege = await Siege.begin({ library: 'ours', platform, backend, nest: nestMajor ?? 12 });
    }, JEST_MS);

    afterAll(async () => {
      await siege.end();
    });

    describe.each(GROUPS)('$about', ({ cases }) => {
      it.each(cases)(
        '$name',
        async (hostile) => {
          expect((await siege.run(hostile)).faults).toEqual([]);
        },
        JEST_MS,
      );
    });
  });
}
