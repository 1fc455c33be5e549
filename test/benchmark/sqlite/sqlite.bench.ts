/**
 * SQLiteStorage beside plain files and FileSystemStorage: CPU of the whole process, threads included, in alternating rounds on fresh
 * folders; and the seed's own way, one BLOB a row on the main thread. Run by `npm run bench -- sqlite [words]`; BENCH_ROUNDS (default 5) says
 * how many rounds.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { FileSystemStorage, type Storage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { measure, median, type Measured } from './measure.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SMALL = randomBytes(10 * KIB);
const PIECE = randomBytes(64 * KIB);

type Run = (folder: string) => Promise<Measured>;

interface Work {
  readonly name: string;
  /** What is compared, and by which of its figures. */
  readonly by: (measured: Measured) => number;
  readonly ours: Run;
  readonly theirs: Run;
  /** What the ratio of ours to theirs is held to. */
  readonly bound: { readonly atMost: number } | { readonly atLeast: number } | undefined;
}

const cpu = ({ cpuSeconds }: Measured): number => cpuSeconds;
const seconds = ({ wallSeconds }: Measured): number => wallSeconds;

/** Calls some work so many times, so many of them at once. */
async function many(count: number, atOnce: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

function stream(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: 64 * KIB,
    read() {
      // memory of its own for each, as a socket gives it
      const piece = Buffer.allocUnsafeSlow(Math.min(left, PIECE.length));
      piece.set(PIECE.subarray(0, piece.length));
      left -= piece.length;
      this.push(piece.length > 0 ? piece : null);
    },
  });
}

async function drain(readable: Readable): Promise<void> {
  for await (const chunk of readable as AsyncIterable<Buffer>)
    if (chunk.length === 0) throw new Error('An empty chunk.');
}

const sqlite = (folder: string, durability: 'full' | 'fast'): SQLiteStorage =>
  new SQLiteStorage({ filename: join(folder, 'files.db'), durability });
const files = (folder: string, durability: 'full' | 'fast'): FileSystemStorage =>
  new FileSystemStorage({ root: join(folder, 'files'), durability });

/** Measures what is done with a storage after it was prepared. */
function on(
  open: (folder: string) => Storage,
  prepare: (storage: Storage) => Promise<unknown>,
  work: (storage: Storage) => Promise<unknown>,
): Run {
  return async (folder) => {
    const storage = open(folder);
    await storage.put('first', SMALL);
    await prepare(storage);
    const measured = await measure(() => work(storage));
    await storage.close();
    return measured;
  };
}

const nothing = (): Promise<void> => Promise.resolve();
const name = (i: number): string => `file-${i}`;
const PUTS = 4000;
const GETS = 20_000;
const LARGE = 64 * MIB;
const KEYS = 100_000;

async function fillKeys(storage: Storage): Promise<void> {
  await many(KEYS, 64, (i) => storage.put(`folder-${i % 100}/file-${i}`, 'x'));
  await carryOver(storage);
}
async function listAll(storage: Storage): Promise<void> {
  let count = 0;
  for await (const { key } of storage.list('folder-')) count += key.length > 0 ? 1 : 0;
  if (count !== KEYS) throw new Error(`Listed ${count}.`);
}

const putLarge = (storage: Storage): Promise<void> => many(8, 4, (i) => storage.put(name(i), stream(LARGE)));
const getLarge = (storage: Storage): Promise<void> => many(8, 4, async (i) => drain(await storage.get(name(i))));
const putSmall = (storage: Storage): Promise<void> => many(PUTS, 16, (i) => storage.put(name(i), SMALL));
/** Objects that are read again and again: they fit the page cache of 48 MiB. What does not costs about twice as much. */
const HOT = 2000;
const getSmall = (storage: Storage): Promise<void> => many(GETS, 16, (i) => storage.getBytes(name(i % HOT)));

/** Has the log of the puts carried over into the file: that is a part of what they cost, and not of what is read later. */
async function carryOver(storage: Storage): Promise<void> {
  if (storage instanceof SQLiteStorage) await storage.compact();
}

/** Once through, on both sides: what is measured is a server that has run for a while, and not how its threads compile their programs. */
async function warmed(storage: Storage): Promise<void> {
  await putSmall(storage);
  await carryOver(storage);
  await getSmall(storage);
}

const readSmall = (folder: string): Promise<void> => many(GETS, 16, (i) => readFile(join(folder, name(i % HOT))));

const WORKS: readonly Work[] = [
  {
    name: `${GETS} x get 10 KB, 16 in flight, to fs.promises.readFile`,
    by: cpu,
    ours: on((folder) => sqlite(folder, 'fast'), warmed, getSmall),
    theirs: async (folder) => {
      await many(PUTS, 16, (i) => writeFile(join(folder, name(i)), SMALL));
      await readSmall(folder);
      return measure(() => readSmall(folder));
    },
    bound: { atMost: 0.4 },
  },
  {
    name: `${PUTS} x put 10 KB, fast, 16 in flight, to fs.promises.writeFile`,
    by: cpu,
    ours: on(
      (folder) => sqlite(folder, 'fast'),
      nothing,
      (storage) => putSmall(storage).then(() => carryOver(storage)),
    ),
    theirs: (folder) => measure(() => many(PUTS, 16, (i) => writeFile(join(folder, name(i)), SMALL))),
    bound: { atMost: 0.95 },
  },
  {
    name: '1,000 x put 10 KB, full: puts a second, 16 in flight to one by one',
    by: (measured) => 1 / seconds(measured),
    ours: on(
      (folder) => sqlite(folder, 'full'),
      nothing,
      (storage) => many(1000, 16, (i) => storage.put(name(i), SMALL)),
    ),
    theirs: on(
      (folder) => sqlite(folder, 'full'),
      nothing,
      (storage) => many(1000, 1, (i) => storage.put(name(i), SMALL)),
    ),
    bound: { atLeast: 4 },
  },
  {
    name: '8 streams of 64 MiB, 4 at once: put, to FileSystemStorage',
    by: cpu,
    ours: on((folder) => sqlite(folder, 'full'), nothing, putLarge),
    theirs: on((folder) => files(folder, 'full'), nothing, putLarge),
    bound: { atMost: 3.5 },
  },
  {
    name: '8 streams of 64 MiB, 4 at once: get, to FileSystemStorage',
    by: cpu,
    ours: on((folder) => sqlite(folder, 'full'), putLarge, getLarge),
    theirs: on((folder) => files(folder, 'full'), putLarge, getLarge),
    bound: { atMost: 3 },
  },
  {
    name: `list of ${KEYS} keys with a prefix, to FileSystemStorage`,
    by: cpu,
    ours: on((folder) => sqlite(folder, 'fast'), fillKeys, listAll),
    theirs: on((folder) => files(folder, 'fast'), fillKeys, listAll),
    bound: { atMost: 0.3 },
  },
  {
    name: "8 streams of 64 MiB, 4 at once: put, to the seed's own way",
    by: cpu,
    ours: on((folder) => sqlite(folder, 'full'), nothing, putLarge),
    theirs: async (folder) => {
      const db = new Database(join(folder, 'seed.db'));
      db.pragma('journal_mode = WAL');
      db.exec('CREATE TABLE files (key TEXT PRIMARY KEY, data BLOB)');
      const insert = db.prepare('INSERT INTO files VALUES (?, ?)');
      const measured = await measure(() =>
        many(8, 4, async (i) => {
          const chunks: Buffer[] = [];
          for await (const chunk of stream(LARGE) as AsyncIterable<Buffer>) chunks.push(chunk);
          insert.run(name(i), Buffer.concat(chunks));
        }),
      );
      db.close();
      return measured;
    },
    bound: undefined,
  },
];

async function inFolder(run: Run): Promise<Measured> {
  const folder = await mkdtemp(join(process.env['BENCH_ROOT'] ?? tmpdir(), 'bench-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function describeRun({ cpuSeconds, wallSeconds, peakMemory, p99Delay, longestStall }: Measured): string {
  return (
    `CPU ${cpuSeconds.toFixed(2)} s, wall ${wallSeconds.toFixed(2)} s, peak memory +${Math.round(peakMemory / MIB)} MiB, ` +
    `loop p99 ${p99Delay.toFixed(1)} ms, longest stall ${longestStall.toFixed(0)} ms`
  );
}

/** @param words pick those works that have one of them in their names */
export async function run(words: readonly string[]): Promise<void> {
  console.log(`Pattern ${createHash('sha256').update(PIECE).digest('hex').slice(0, 8)}, ${ROUNDS} rounds, medians.`);
  for (const work of WORKS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))) {
    const ours: Measured[] = [];
    const theirs: Measured[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await inFolder(work.ours));
      theirs.push(await inFolder(work.theirs));
    }
    const ratio = median(ours.map((measured, i) => work.by(measured) / work.by(theirs[i] ?? measured)));
    const { bound } = work;
    const verdict =
      bound === undefined
        ? ''
        : 'atMost' in bound
          ? ` (at most ${bound.atMost}: ${ratio <= bound.atMost ? 'kept' : 'BROKEN'})`
          : ` (at least ${bound.atLeast}: ${ratio >= bound.atLeast ? 'kept' : 'BROKEN'})`;
    console.log(`\n${work.name}\n  ratio ${ratio.toFixed(2)}${verdict}`);
    console.log(`  ours:   ${describeRun(median(ours, work.by))}`);
    console.log(`  theirs: ${describeRun(median(theirs, work.by))}`);
  }
}
