/**
 * How late the event loop is while 256 MiB are written, to FileSystemStorage doing the same: in alternating rounds, each in a process of its own
 * and on a fresh folder. Run by `npm run bench -- loop`; BENCH_ROUNDS (default 9) says how many rounds. Both are delays of a clock on the wall: a
 * machine that others use too shows in them.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, pairedRatios, spread } from '../measure/statistics.js';

const WRITER = fileURLToPath(new URL('./loop-writer.js', import.meta.url));
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const BOUNDS = { p99: 1.5, longest: 2 } as const;

/** Milliseconds. */
interface Delay {
  readonly p99: number;
  readonly longest: number;
}

async function delayOf(kind: 'sqlite' | 'files'): Promise<Delay> {
  const folder = await mkdtemp(join(process.env['BENCH_ROOT'] ?? tmpdir(), 'bench-'));
  try {
    const child = fork(WRITER, [kind, folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const exit = once(child, 'exit');
    // one that fails sends nothing
    const [said] = (await Promise.race([once(child, 'message'), exit])) as unknown[];
    await exit;
    return { p99: numberIn(said, 'p99'), longest: numberIn(said, 'longest') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function numberIn(message: unknown, name: keyof Delay): number {
  const value: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
  if (typeof value !== 'number') throw new Error('A writer ended without its figures.');
  return value;
}

export async function run(): Promise<void> {
  const [ours, theirs]: [Delay[], Delay[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    // by turns the first: what one leaves to be written back slows the next
    if (round % 2 === 0) ours.push(await delayOf('sqlite'));
    theirs.push(await delayOf('files'));
    if (round % 2 === 1) ours.push(await delayOf('sqlite'));
  }
  console.log(`256 MiB, ${ROUNDS} rounds, load ${loadavg()[0]?.toFixed(1) ?? 'unknown'}: medians (least–most)`);
  for (const name of ['p99', 'longest'] as const) {
    const [a, b] = [ours, theirs].map((delays) => delays.map((delay) => delay[name])) as [number[], number[]];
    const ratio = median(pairedRatios(a, b));
    const verdict = ratio <= BOUNDS[name] ? 'kept' : 'BROKEN';
    console.log(`${name}: ratio ${ratio.toFixed(2)} (at most ${BOUNDS[name]}: ${verdict})`);
    console.log(`  SQLiteStorage ${spread(a, 1)} ms, FileSystemStorage ${spread(b, 1)} ms`);
  }
}
