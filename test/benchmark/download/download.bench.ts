import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineLine } from '../measure/machine.js';
import { ServerProcess } from '../measure/server-process.js';
import { median, pairedRatios, spread } from '../measure/statistics.js';
import { DownloadClient } from './download-client.js';
import { GOALS, SERVERS, SERVER_KINDS, type ServerKind } from './servers.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const MIB = 1024 * 1024;
const PROGRAM = new URL('./server.js', import.meta.url);

const WORKS = [
  { name: 'large', title: '1 GiB', size: 1024 * MIB, requests: 1, atOnce: 1, warmUp: 1 },
  { name: 'small', title: '10 KiB, 16 in flight', size: 10 * 1024, requests: 4000, atOnce: 16, warmUp: 4000 },
] as const;

/** How many clients are slow at once, and how much more than idle they may take, in MiB. */
const SLOW = { name: 'slow', connections: 1000, most: 200 } as const;

async function cpuOf(kind: ServerKind, work: (typeof WORKS)[number], root: string): Promise<number> {
  const server = await ServerProcess.start(kind, root, PROGRAM);
  const client = new DownloadClient(server.port);
  try {
    await client.read(work.name, work.size, work.warmUp, work.atOnce);
    await server.idle();
    await server.begin();
    await client.read(work.name, work.size, work.requests, work.atOnce);
    return (await server.end()).cpu;
  } finally {
    client.close();
    await server.stop();
  }
}

/** The largest memory over idle while clients read the beginning of a large file, and no more of it. */
async function memoryOfSlow(kind: ServerKind, root: string): Promise<number> {
  const server = await ServerProcess.start(kind, root, PROGRAM);
  const client = new DownloadClient(server.port);
  try {
    await client.read('small', 10 * 1024, 200, 16);
    await server.idle();
    await server.begin();
    const sockets = await client.readSlowly('large', SLOW.connections);
    // whoever comes later is served beside them
    await client.read('small', 10 * 1024, 200, 16);
    const { peakOverIdle } = await server.end();
    for (const socket of sockets) socket.destroy();
    // the server has heard of all that came before
    await client.read('small', 10 * 1024, 1, 1);
    return peakOverIdle / MIB;
  } finally {
    client.close();
    await server.stop();
  }
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/**
 * Downloads from a folder: CPU of the server, which has a process of its own, beside that of Nest's StreamableFile, Express's sendFile and
 * @fastify/static; and the memory of slow clients. `BENCH_ROUNDS` (default 5) says how many rounds.
 *
 * @param words of `large`, `small` and `slow`; all without any
 */
export async function run(words: readonly string[]): Promise<void> {
  const wanted = (name: string): boolean => words.length === 0 || words.includes(name);
  const root = await mkdtemp(join(tmpdir(), 'nestjs-storages-bench-'));
  console.log(machineLine(['@nestjs/core', 'express', '@fastify/static']));
  try {
    // sparse: what is measured is the way from the page cache to the socket
    await writeFile(join(root, 'large'), '');
    await truncate(join(root, 'large'), 1024 * MIB);
    await writeFile(join(root, 'small'), randomBytes(10 * 1024));
    for (const work of WORKS.filter(({ name }) => wanted(name))) {
      const cpu = new Map<ServerKind, number[]>(SERVER_KINDS.map((kind) => [kind, []]));
      for (let round = 0; round < ROUNDS; round++) {
        const first = round % SERVER_KINDS.length;
        for (const kind of [...SERVER_KINDS.slice(first), ...SERVER_KINDS.slice(0, first)]) {
          const seconds = await cpuOf(kind, work, root);
          cpu.get(kind)?.push(seconds);
          console.error(`${work.title}, round ${round + 1}, ${kind}: ${seconds.toFixed(2)} s of CPU`);
        }
      }
      const lines = [row('server', 'CPU s'), row('---', '---')];
      for (const [kind, seconds] of cpu) lines.push(row(SERVERS[kind].name, median(seconds).toFixed(2)));
      lines.push(
        '',
        row('server', 'CPU to', 'goal', 'median (least–most)', 'reached'),
        row(...'-----'.split('').map(() => '---')),
      );
      for (const { own, against, most } of GOALS) {
        const ratios = pairedRatios(cpu.get(own) ?? [], cpu.get(against) ?? []);
        const goal = most[work.name] ?? Number.NaN;
        const reached = median(ratios) <= goal;
        lines.push(
          row(SERVERS[own].name, SERVERS[against].name, `<= ${goal}`, spread(ratios, 2), reached ? 'yes' : '**no**'),
        );
      }
      console.log(`\n${work.title}, ${ROUNDS} rounds, ratios paired by round\n\n${lines.join('\n')}`);
    }
    if (wanted(SLOW.name)) {
      for (const kind of ['express-stored', 'fastify-stored'] as const) {
        const memory = await memoryOfSlow(kind, root);
        const verdict = memory <= SLOW.most ? 'reached' : 'NOT reached';
        console.log(
          `${SLOW.connections} slow clients, ${SERVERS[kind].name}: ${memory.toFixed(0)} MiB over idle (goal ${SLOW.most}: ${verdict})`,
        );
        if (memory > SLOW.most) process.exitCode = 1;
      }
    }
  } finally {
    await rm(root, { recursive: true });
  }
}
