import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSystemOf, machineLine } from '../measure/machine.js';
import { UnexpectedAnswer } from '../measure/upload-client.js';
import { measureWork, type Measured } from './measure-work.js';
import { figureTable, goalTable } from './report.js';
import type { ServerKind } from './servers.js';
import { WORKS, fewFiles, type Work } from './works.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const MEMORY_DISK = '/dev/shm';

/** Thousands of files go to memory where they can: there no run pays for what an earlier one has deleted. */
function rootOf(work: Work): string {
  return process.env['BENCH_ROOT'] ?? (!fewFiles(work) && existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir());
}

/**
 * All rounds of one work: all servers in each, every round beginning with another one. A server that does not answer 201 is left out
 * with what it answered.
 */
async function rounds(work: Work): Promise<Map<ServerKind, Measured[] | number>> {
  const results = new Map<ServerKind, Measured[] | number>(work.servers.map((kind) => [kind, []]));
  const root = rootOf(work);
  const folder = await mkdtemp(join(root, 'nestjs-storages-bench-'));
  const deleteAtOnce = fewFiles(work) || fileSystemOf(root) === 'tmpfs';
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const first = round % work.servers.length;
      for (const kind of [...work.servers.slice(first), ...work.servers.slice(0, first)]) {
        const measured = results.get(kind);
        if (!Array.isArray(measured)) continue;
        const fresh = join(folder, `${round}-${kind}`);
        await mkdir(fresh);
        try {
          const run = await measureWork(kind, work, fresh);
          measured.push(run);
          console.error(`${work.name}, round ${round + 1}, ${kind}: ${run.cpu.toFixed(2)} s of CPU`);
        } catch (error) {
          if (!(error instanceof UnexpectedAnswer)) throw error;
          results.set(kind, error.statusCode);
          console.error(`${work.name}, round ${round + 1}, ${kind}: ${error.message}`);
          process.exitCode = 1;
        }
        if (deleteAtOnce) await rm(fresh, { recursive: true });
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return results;
}

/**
 * Uploads into Nest's own interceptors and into ours: CPU of the server, which has a process of its own while this one is the client.
 * `BENCH_ROUNDS` (default 5) says how many rounds, `BENCH_ROOT` where the files go.
 *
 * @param words works that have one of them in their names are measured; all without any
 */
export async function run(words: readonly string[]): Promise<void> {
  if (!Number.isInteger(ROUNDS) || ROUNDS < 1) throw new Error('BENCH_ROUNDS is a positive whole number.');
  const works = WORKS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (works.length === 0) throw new Error(`No work is called so: ${WORKS.map(({ name }) => name).join('; ')}.`);
  const machine = machineLine(['@nestjs/core', 'multer', '@fastify/multipart']);
  const fileSystems = works.map((work) => `${work.name} on ${fileSystemOf(rootOf(work))}`);
  const results = new Map<string, ReadonlyMap<ServerKind, Measured[] | number>>();
  for (const work of works) results.set(work.name, await rounds(work));

  const given = ['BENCH_ROUNDS', 'BENCH_ROOT'].filter((name) => process.env[name] !== undefined);
  const settings = given.map((name) => `${name}=${process.env[name] ?? ''} `).join('');
  const picked = words.map((word) => ` ${JSON.stringify(word)}`).join('');
  console.log(`\`${settings}npm run bench -- upload${picked}\``);
  console.log(`\n${machine}\n\n${fileSystems.join('; ')} (on tmpfs \`full\` costs no fsync)`);
  console.log(`\nRounds: ${ROUNDS}; medians, ratios paired by round.\n`);
  console.log([...goalTable(results), '', ...figureTable(results)].join('\n'));
}
