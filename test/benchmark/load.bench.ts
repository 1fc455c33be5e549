import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { machineLine } from './measure/machine.js';
import { median, spread } from './measure/statistics.js';

const ROUNDS = 11;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const NEST = ['reflect-metadata', '@nestjs/common', '@nestjs/core'];

/** What is loaded, each by a new process: Nest alone is what every other line is compared with, in the same round. */
const LOADED: ReadonlyMap<string, readonly string[]> = new Map([
  ['Nest alone', NEST],
  ['nestjs-storages', [...NEST, 'nestjs-storages']],
  ['and /s3', [...NEST, 'nestjs-storages', 'nestjs-storages/s3']],
  ['and /sqlite', [...NEST, 'nestjs-storages', 'nestjs-storages/sqlite']],
  ['and /testing', [...NEST, 'nestjs-storages', 'nestjs-storages/testing']],
  // these load a peer at once, so that what an application with the peer pays is the difference of two lines
  ['terminus alone', [...NEST, '@nestjs/terminus']],
  ['and /terminus', [...NEST, '@nestjs/terminus', 'nestjs-storages', 'nestjs-storages/terminus']],
  ['swagger alone', [...NEST, '@nestjs/swagger']],
  ['and /swagger', [...NEST, '@nestjs/swagger', 'nestjs-storages', 'nestjs-storages/swagger']],
  ['otel api alone', [...NEST, '@opentelemetry/api']],
  ['and /opentelemetry', [...NEST, '@opentelemetry/api', 'nestjs-storages', 'nestjs-storages/opentelemetry']],
]);

interface Cost {
  /** Of the processor: a busy machine changes them less than it changes those of a clock, which are `elapsed`. */
  readonly cpu: number;
  readonly elapsed: number;
  readonly mebibytes: number;
}

/** Loads the packages one after the other in a new process, and reads its times, and its resident memory after a collection. */
function costOf(packages: readonly string[]): Cost {
  const program = [
    'const [start, before] = [performance.now(), process.cpuUsage()];',
    ...packages.map((name) => `await import('${name}');`),
    'const elapsed = performance.now() - start;',
    'const { user, system } = process.cpuUsage(before);',
    'gc();',
    'console.log((user + system) / 1000, elapsed, process.memoryUsage.rss() / 1024 ** 2);',
  ].join('\n');
  const said = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program], {
    cwd: HERE,
    encoding: 'utf8',
  });
  const [cpu = Number.NaN, elapsed = Number.NaN, mebibytes = Number.NaN] = said.split(' ').map(Number);
  return { cpu, elapsed, mebibytes };
}

/** Time and memory that loading an entry adds to an application that has Nest already. */
export function run(): Promise<void> {
  console.log(machineLine(['@nestjs/core']));
  const costs = new Map([...LOADED.keys()].map((name) => [name, [] as Cost[]]));
  for (const packages of LOADED.values()) costOf(packages); // the files are in the page cache from here on
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, packages] of LOADED) costs.get(name)?.push(costOf(packages));
  }
  const nest = costs.get('Nest alone') ?? [];
  console.log(`${ROUNDS} rounds, median (least–most):`);
  for (const [name, measured] of costs) {
    const added = (field: keyof Cost): number =>
      median(measured.map((cost, round) => cost[field] - (nest[round]?.[field] ?? Number.NaN)));
    const of = (field: keyof Cost): string =>
      spread(
        measured.map((cost) => cost[field]),
        0,
      );
    console.log(`${name.padEnd(18)} ${of('cpu')} ms of CPU, ${of('elapsed')} ms, ${of('mebibytes')} MiB resident`);
    console.log(
      `${' over Nest'.padEnd(18)} ${added('cpu').toFixed(0)} ms of CPU, ${added('elapsed').toFixed(0)} ms, ` +
        `${added('mebibytes').toFixed(1)} MiB`,
    );
  }
  return Promise.resolve();
}
