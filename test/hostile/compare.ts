import { parseArgs } from 'node:util';
import { GROUPS } from './cases/index.js';
import { Siege } from './run/siege.js';
import { Tally } from './run/tally.js';
import { BACKENDS } from './server/backends.js';
import { PLATFORMS, type ServerSetup } from './server/protocol.js';

// Every hostile case against our interceptors on each backend and platform, and against Nest's own on each platform: `npm run test:hostile`.
// The process fails where ours do; Nest's are for comparison. HOSTILE_RUNS and HOSTILE_SEED choose the mutants.
const { values } = parseArgs({
  options: {
    /** Only cases whose name has this. */
    only: { type: 'string', default: '' },
    backend: { type: 'string', multiple: true, default: BACKENDS.map(({ name }) => name) },
    platform: { type: 'string', multiple: true, default: [...PLATFORMS] },
    nest: { type: 'string', default: '12' },
    /** Prints what Nest's own interceptors do in each case. */
    verbose: { type: 'boolean', default: false },
    library: { type: 'string', multiple: true, default: ['ours', 'nest'] },
  },
});

const nest = Number(values.nest);
const platforms = PLATFORMS.filter((platform) => values.platform.includes(platform));
const setups: ServerSetup[] = [
  ...(values.library.includes('ours') ? platforms : []).flatMap((platform) =>
    values.backend.map((backend) => ({ library: 'ours' as const, platform, backend, nest })),
  ),
  // Nest 11 has none for Fastify
  ...(values.library.includes('nest') ? platforms : [])
    .filter((platform) => nest >= 12 || platform === 'express')
    .map((platform) => ({ library: 'nest' as const, platform, backend: '', nest })),
];

const rows = [];
let failed = 0;
for (const setup of setups) {
  const tally = new Tally(setup);
  const siege = await Siege.begin(setup);
  const from = performance.now();
  for (const { about, cases, oursOnly } of GROUPS) {
    if (setup.library === 'nest' && oursOnly === true) continue;
    for (const hostile of cases) {
      const name = `${about}: ${hostile.name}`;
      if (!name.includes(values.only)) continue;
      const outcome = await siege.run(hostile);
      tally.add(outcome);
      const ours = setup.library === 'ours';
      if (ours && outcome.faults.length > 0) failed++;
      if ((ours || values.verbose) && outcome.faults.length > 0) {
        console.log(
          `${Object.values(setup).join(' ')}: ${name}\n${outcome.faults.map((fault) => `    ${fault}`).join('\n')}`,
        );
      }
    }
  }
  await siege.end();
  rows.push({ ...tally.row(), seconds: Math.round((performance.now() - from) / 1000) });
}
console.table(rows);
process.exitCode = failed === 0 ? 0 : 1;
