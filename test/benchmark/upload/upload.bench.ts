/**
 * Uploads into Nest's own FileInterceptor and into ours: CPU of the server, each in a process of its own, in alternating rounds on
 * fresh folders. Run by `npm run bench`; BENCH_ROUNDS (default 5) says how many rounds, BENCH_ROOT where the files go.
 */
import { request } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MultipartBody } from '../measure/multipart-body.js';
import { ServerProcess, type Usage } from '../measure/server-process.js';

const MIB = 1024 * 1024;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SERVERS = ['nest-disk', 'nest-memory', 'fast', 'full'] as const;
type Kind = (typeof SERVERS)[number];

interface Work {
  readonly name: string;
  readonly path: string;
  readonly body: MultipartBody;
  readonly requests: number;
  readonly atOnce: number;
}

const WORKS: readonly Work[] = [
  { name: 'one file of 1 GiB', path: '/one', body: new MultipartBody(1, 1024 * MIB), requests: 1, atOnce: 1 },
  { name: '32 x 16 MiB at once', path: '/one', body: new MultipartBody(1, 16 * MIB), requests: 32, atOnce: 32 },
  {
    name: '2,000 x 10 KiB, 16 in flight',
    path: '/one',
    body: new MultipartBody(1, 10 * 1024),
    requests: 2000,
    atOnce: 16,
  },
];

async function send(port: number, work: Work): Promise<void> {
  const { body } = work;
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path: work.path,
    method: 'POST',
    headers: { 'content-type': body.contentType, 'content-length': body.length },
  });
  const answered = new Promise<void>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 201) resolve();
        else reject(new Error(`${work.path} answered ${response.statusCode ?? 0}`));
      });
    });
  });
  await Promise.all([pipeline(Readable.from(body.chunks(), { objectMode: false }), outgoing), answered]);
}

async function run(kind: Kind, work: Work): Promise<Usage> {
  const root = await mkdtemp(join(process.env['BENCH_ROOT'] ?? tmpdir(), 'bench-'));
  const server = await ServerProcess.start(kind, join(root, 'files'));
  try {
    await send(server.port, { ...work, body: new MultipartBody(1, 1024) }); // loads what is loaded once
    await server.usage();
    const left = Array.from({ length: work.requests }, () => work).values();
    await Promise.all(
      Array.from({ length: work.atOnce }, async () => {
        for (const each of left) await send(server.port, each);
      }),
    );
    return await server.usage();
  } finally {
    await server.stop();
    await rm(root, { recursive: true });
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const only = process.argv[2];
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, median of ${ROUNDS}`,
);
console.log('| work | server | CPU s | to Nest on disk | to Nest in memory | peak over idle, MiB |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const work of WORKS) {
  if (only !== undefined && !work.name.includes(only)) continue;
  const usages = new Map<Kind, Usage[]>(SERVERS.map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of SERVERS) usages.get(kind)?.push(await run(kind, work));
  }
  const ratio = (kind: Kind, to: Kind): string =>
    median((usages.get(kind) ?? []).map(({ cpu }, i) => cpu / (usages.get(to)?.[i]?.cpu ?? Number.NaN))).toFixed(2);
  for (const kind of SERVERS) {
    const own = usages.get(kind) ?? [];
    const cpu = median(own.map((usage) => usage.cpu)).toFixed(2);
    const peak = (median(own.map((usage) => usage.peakOverIdle)) / MIB).toFixed(0);
    console.log(
      `| ${work.name} | ${kind} | ${cpu} | ${ratio(kind, 'nest-disk')} | ${ratio(kind, 'nest-memory')} | ${peak} |`,
    );
  }
}
