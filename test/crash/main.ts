// The crash harness in full: npm run test:crash -- [sqlite|filesystem] [kill|power|calls|two|proof] [--seed N] [--rounds N] [--faults N]
import { CallFaults, faultsAt } from './calls/call-faults.js';
import { callPointsOf, operationsOf } from './calls/call-points.js';
import { whyNoTrace } from './calls/trace.js';
import type { FaultKind } from './judge/faults.js';
import type { Tally } from './judge/tally.js';
import { killRounds } from './kill/kill-rounds.js';
import { FILE_SYSTEMS, whyNoDisk, type FileSystem } from './power/loop-disk.js';
import { powerCuts } from './power/power-cuts.js';
import { Programs } from './process/programs.js';
import { parseOptions, USAGE, type RunOptions } from './run/options.js';
import { formatTable, isGood, type Row } from './run/table.js';
import { inFolder } from './run/temporary-folder.js';
import type { CrashStore } from './stores/index.js';
import { twoProcesses } from './two/two-processes.js';
import { Random } from './workload/random.js';

const NOTHING: ReadonlySet<FaultKind> = new Set();
/** A broken storage that was not found out in so many rounds never is. */
const PROOF_ROUNDS = 60;

const rows: Row[] = [];
const notRun: string[] = [];

function optionsOrUsage(): RunOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const options = optionsOrUsage();
const programs = await Programs.compile();
const seeds = new Random(options.seed);
console.log(`seed ${options.seed}`);

async function record(
  store: CrashStore,
  what: string,
  allowed: Row['allowed'],
  run: (random: Random) => Promise<Tally>,
): Promise<void> {
  const seed = seeds.seed();
  const begun = performance.now();
  const tally = await run(new Random(seed));
  const row: Row = { store: store.name, what, seed, tally, allowed, seconds: (performance.now() - begun) / 1000 };
  rows.push(row);
  const { rounds, acknowledged } = tally;
  const figures = `${rounds} rounds, ${acknowledged} acknowledged, ${row.seconds.toFixed(0)} s`;
  console.log(`${isGood(row) ? 'good' : 'FAILED'}: ${store.name}, ${what}: ${figures}`);
  if (!isGood(row)) for (const fault of tally.faults.slice(0, 20)) console.log(`  ${fault.kind}: ${fault.what}`);
}

async function kill(store: CrashStore, variant: string, rounds: number, allowed: Row['allowed']): Promise<void> {
  const untilFound = allowed === undefined;
  await record(store, `kill -9, ${variant}`, allowed, (random) =>
    inFolder((folder) => killRounds({ programs, store, variant, folder, rounds, random, untilFound })),
  );
}

async function cut(
  store: CrashStore,
  variant: string,
  fileSystem: FileSystem,
  rounds: number,
  allowed: Row['allowed'],
): Promise<void> {
  const why = await whyNoDisk(fileSystem);
  if (why !== undefined) {
    notRun.push(`power cuts on ${fileSystem} were not run: ${why}`);
    return;
  }
  const untilFound = allowed === undefined;
  await record(store, `power cuts on ${fileSystem}, ${variant}`, allowed, (random) =>
    powerCuts({ programs, store, variant, fileSystem, rounds, random, untilFound }),
  );
}

async function calls(store: CrashStore): Promise<void> {
  const why = await whyNoTrace();
  if (why !== undefined) {
    notRun.push(`system calls were not disturbed: ${why}`);
    return;
  }
  const outcomes = new Map<string, number>();
  for (const operation of operationsOf(store)) {
    await inFolder(async (folder) => {
      const subject = { programs, store, folder };
      const faults = faultsAt(await callPointsOf(operation, subject));
      await record(store, `calls of ${operation}`, NOTHING, async (random) => {
        const run = new CallFaults(subject);
        await run.run(random.sample(faults, Math.min(options.faults, faults.length)));
        for (const [outcome, count] of run.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
        return run.tally;
      });
    });
  }
  console.log(`what came of the disturbed operations of ${store.name}:`);
  for (const [outcome, count] of [...outcomes].sort()) console.log(`  ${outcome}: ${count}`);
}

async function two(store: CrashStore, variant: string, rounds: number, allowed: Row['allowed']): Promise<void> {
  const untilFound = allowed === undefined;
  await record(store, `two processes, ${variant}`, allowed, (random) =>
    inFolder((folder) => twoProcesses({ programs, store, variant, folder, rounds, random, untilFound })),
  );
}

async function proof(store: CrashStore): Promise<void> {
  for (const variant of store.broken) await kill(store, variant, PROOF_ROUNDS, undefined);
  for (const variant of store.brokenBetweenProcesses) await two(store, variant, PROOF_ROUNDS, undefined);
  for (const variant of ['fast', ...store.brokenInPowerCuts]) {
    for (const fileSystem of FILE_SYSTEMS) await cut(store, variant, fileSystem, PROOF_ROUNDS, undefined);
  }
}

try {
  for (const store of options.stores) {
    const { suites } = options;
    if (suites.includes('kill')) {
      for (const variant of ['full', 'fast']) await kill(store, variant, options.killRounds, NOTHING);
    }
    if (suites.includes('power')) {
      for (const fileSystem of FILE_SYSTEMS) {
        await cut(store, 'full', fileSystem, options.powerCuts, NOTHING);
        await cut(store, 'fast', fileSystem, options.powerCuts, store.lostWhenFast);
      }
    }
    if (suites.includes('calls')) await calls(store);
    if (suites.includes('two')) {
      for (const variant of ['full', 'fast']) await two(store, variant, options.twoRounds, NOTHING);
    }
    if (suites.includes('proof')) await proof(store);
  }
} finally {
  await programs.remove();
}
console.log(`\n${formatTable(rows)}`);
for (const line of new Set(notRun)) console.log(line);
if (rows.length === 0 || !rows.every(isGood) || (notRun.length > 0 && process.env['CI'] === 'true'))
  process.exitCode = 1;
