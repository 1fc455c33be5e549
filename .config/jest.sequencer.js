// Which spec file runs when. Jest takes the large before the small until it knows from a run before how long each takes, which no CI
// does; and a file of three lines may be a whole suite on a real server. The longest come first here, so that none of them is left
// over at the end, for one core, while the other has nothing to do.
import { createRequire } from 'node:module';

// Jest's own, as Jest itself finds it
let require = createRequire(import.meta.url);
for (const dependent of ['jest', '@jest/core']) require = createRequire(require.resolve(dependent));
const { default: Sequencer } = require('@jest/test-sequencer');

/** All that take more than ten seconds of a core or of waiting, the slowest first. */
const LONGEST = [
  'hostile/s3',
  'conformance/s3',
  'conformance/s3-prefix',
  'conformance/sqlite',
  'sqlite/conformance-two-processes',
  'conformance/filesystem',
  'hostile/sqlite',
  'hostile/filesystem',
  'hostile/memory',
  's3/faults',
  'conformance/wrappers-filesystem',
  'crash/calls',
  'crash/power',
  'crash/kill',
  'crash/two',
  'conformance/wrappers',
  'conformance/broken-storages',
  'download/answers',
  'sqlite/loop-delay',
].map((name) => `/test/${name}.spec.ts`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.endsWith(name));
      return place === -1 ? LONGEST.length : place;
    };
    // stable: the others stay as Jest has put them
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
}
