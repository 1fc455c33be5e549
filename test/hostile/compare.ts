import { parseArgs } from 'node:util';
import { GROUPS } from './cases/index.js';
import { Siege } from './run/siege.js';
import { Tally } from './run/tally.js';
import { BACKENDS } from './server/backends.js';
import { PLATFORMS, type Platform, type ServerSetup } from './server/protocol.js';

// Every hostile case against our interceptors on each backend and platform, and against Nest's own beside them: `npm run test:hostile`. Both
// servers are up, and each case goes to one and then to the other, so that both meet the same machine. The process fails where ours do; Nest's
// are for comparison. HOSTILE_RUNS and HOSTILE_SEED choose the mutants.
const { values } = parseArgs({
  options: {
    /** Only cases whose name has this. */
    only: { type: 'string', default: '' },
    backend: {
      type: 'string',
      multiple: true,
      default: BACKENDS.map(({ name }) => name).filter((name) => name !== 's3'),
    },
    platform: { type: 'string', multiple: true, default: [...PLATFORMS] },
    nest: { type: 'string', default: '12' },
    /** Prints what Nest's own interceptors do in each case. */
    verbose: { type: 'boolean', default: false },
    library: { type: 'string', multiple: true, default: ['ours', 'nest'] },
  },
});

const nest = Number(values.nest);

/** The servers that are attacked side by side. */
function contestants(platform: Platform, backend: string): ServerSetup[] {
  return [
    { library: 'ours' as const, platform, backend, nest },
    // Nest 11 has none for Fastify
    ...(nest >= 12 || platform === 'express' ? [{ library: 'nest' as const, platform, backend: '', nest }] : []),
  ].filter(({ library }) => values.library.includes(library));
}

function report({ library, platform, backend }: ServerSetup, name: string, faults: readonly string[]): void {
  console.log([library, platform, backend, `${name}\n`, ...faults.map((fault) => `    ${fault}\n`)].join(' '));
}

const rows = [];
let failed = 0;
for (const platform of PLATFORMS.filter((one) => values.platform.includes(one))) {
  for (const backend of values.backend) {
    const sides = [];
    for (const setup of contestants(platform, backend)) {
      sides.push({ setup, siege: await Siege.begin(setup), tally: new Tally(setup) });
    }
    for (const { about, cases, oursOnly } of GROUPS) {
      for (const hostile of cases) {
        const name = `${about}: ${hostile.name}`;
        if (!name.includes(values.only)) continue;
        for (const { setup, siege, tally } of sides) {
          const ours = setup.library === 'ours';
          if (!ours && oursOnly === true) continue;
          const outcome = await siege.run(hostile);
          tally.add(outcome);
          if (outcome.faults.length === 0) continue;
          if (ours) failed++;
          if (ours || values.verbose) report(setup, name, outcome.faults);
        }
        // neither is always the first
        sides.reverse();
      }
    }
    sides.sort((a, b) => Number(a.setup.library === 'nest') - Number(b.setup.library === 'nest'));
    for (const { siege, tally } of sides) {
      await siege.end();
      rows.push(tally.row());
    }
  }
}
console.table(rows);
process.exitCode = failed === 0 ? 0 : 1;
