/**
 * S3Storage beside @aws-sdk/lib-storage, the SDK's own PutObject and multer-s3, into a sink that keeps nothing: CPU of the whole process in
 * alternating rounds. Run by `npm run bench -- s3 [words]`; BENCH_ROUNDS (default 5) says how many rounds, BENCH_MULTER_S3 in which folder multer-s3
 * is installed (`npm install multer multer-s3 @aws-sdk/client-s3` there): it is no dependency of this package, and left out without.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { S3Storage } from 'nestjs-storages/s3';
import { measure, median, type Measured } from '../sqlite/measure.js';
import { CONCURRENCY, connectionTo, LARGE, largeSettings, MIB, PART, SMALL, stream } from './settings.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SMALLS = 1000;

interface Work {
  readonly name: string;
  readonly ours: () => Promise<unknown>;
  readonly theirs: () => Promise<unknown>;
  /** What the ratio of ours to theirs, in CPU, is held to. */
  readonly atMost: number;
  /** What memory ours may take, of an upload by these checksums in a process of its own. */
  readonly memory?: { readonly atMost: number; readonly integrity: 'crc32' | 'none' };
  readonly requests?: number;
}

class Sink {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<Sink> {
    const child = fork(fileURLToPath(new URL('./sink.js', import.meta.url)));
    const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
    return new Sink(child, port);
  }

  /** Since it was last asked. */
  async requests(): Promise<number> {
    this.#child.send('requests');
    const [{ requests }] = (await once(this.#child, 'message')) as [{ readonly requests: number }];
    return requests;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

async function each(put: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < SMALLS) await put(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** What is used of multer-s3, which has no types of its own. */
type MulterS3 = (options: object) => {
  _handleFile(request: object, file: object, done: (error: Error | null, stored: unknown) => void): void;
};

/** What multer-s3 does with the stream of one file, beside `put`; what reads the form before either is not in it. Its parts are always of 5 MiB, four in flight. */
function worksBesideMulterS3(sink: Sink, folder: string): readonly Work[] {
  const requireThere = createRequire(join(folder, 'package.json'));
  const multerS3 = requireThere('multer-s3') as MulterS3;
  // of its own version of the SDK: it takes no other's commands
  const { S3Client: TheirClient } = requireThere('@aws-sdk/client-s3') as { readonly S3Client: typeof S3Client };
  const beside = (checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED', integrity: 'crc32' | 'none') => {
    const s3 = new TheirClient({ ...connectionTo(sink.port), requestChecksumCalculation: checksums });
    const engine = multerS3({ s3, bucket: 'bench', key: keyOfFile });
    const storage = new S3Storage({ ...largeSettings(sink.port, integrity), partSize: 5 * MIB });
    return {
      ours: (name: string, source: Readable) => storage.put(name, source),
      theirs: (name: string, source: Readable) =>
        new Promise((resolve, reject) => {
          engine._handleFile({}, { originalname: name, mimetype: 'text/plain', stream: source }, (error, stored) => {
            if (error === null) resolve(stored);
            else reject(error);
          });
        }),
    };
  };
  const crc32 = beside('WHEN_SUPPORTED', 'crc32');
  const none = beside('WHEN_REQUIRED', 'none');
  const small = (): Readable => Readable.from([SMALL]);
  return [
    {
      name: 'large crc32 (to multer-s3)',
      ours: () => crc32.ours('large', stream(LARGE)),
      theirs: () => crc32.theirs('large', stream(LARGE)),
      atMost: 1,
    },
    {
      name: 'large without checksums (to multer-s3)',
      ours: () => none.ours('large', stream(LARGE)),
      theirs: () => none.theirs('large', stream(LARGE)),
      atMost: 1,
    },
    {
      name: 'small, streams of 10 KiB (to multer-s3)',
      ours: () => each((n) => crc32.ours(`small/${n}`, small())),
      theirs: () => each((n) => crc32.theirs(`small/${n}`, small())),
      atMost: 1,
      requests: SMALLS,
    },
  ];
}

function keyOfFile(
  _request: object,
  file: { readonly originalname: string },
  done: (error: null, key: string) => void,
) {
  done(null, file.originalname);
}

function worksOn(sink: Sink): readonly Work[] {
  const connection = connectionTo(sink.port);
  const withCrc = new S3Storage(largeSettings(sink.port, 'crc32'));
  const without = new S3Storage(largeSettings(sink.port, 'none'));
  const sdkWithCrc = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_SUPPORTED' });
  const sdkWithout = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const upload = (client: S3Client): Promise<unknown> =>
    new Upload({
      client,
      params: { Bucket: 'bench', Key: 'large', Body: stream(LARGE) },
      partSize: PART,
      queueSize: CONCURRENCY,
    }).done();
  const atMost = (CONCURRENCY + 2) * PART + 32 * MIB;
  return [
    {
      name: 'large crc32 (to lib-storage)',
      ours: () => withCrc.put('large', stream(LARGE)),
      theirs: () => upload(sdkWithCrc),
      atMost: 0.6,
      memory: { atMost, integrity: 'crc32' },
    },
    {
      name: 'large without checksums (to lib-storage)',
      ours: () => without.put('large', stream(LARGE)),
      theirs: () => upload(sdkWithout),
      atMost: 0.6,
      memory: { atMost, integrity: 'none' },
    },
    {
      name: 'small, 10 KiB (to PutObject)',
      ours: () => each((n) => withCrc.put(`small/${n}`, SMALL)),
      theirs: () =>
        each((n) => sdkWithCrc.send(new PutObjectCommand({ Bucket: 'bench', Key: `small/${n}`, Body: SMALL }))),
      atMost: 1.1,
      requests: SMALLS,
    },
  ];
}

export async function run(words: readonly string[]): Promise<void> {
  const sink = await Sink.start();
  try {
    const { BENCH_MULTER_S3: folder } = process.env;
    if (folder === undefined) console.log('multer-s3 is left out: BENCH_MULTER_S3 names no folder that has it.');
    for (const work of [...worksOn(sink), ...(folder === undefined ? [] : worksBesideMulterS3(sink, folder))]) {
      if (words.length > 0 && !words.some((word) => work.name.includes(word))) continue;
      await compare(sink, work);
    }
  } finally {
    sink.stop();
  }
}

async function compare(sink: Sink, { name, ours, theirs, atMost, memory, requests }: Work): Promise<void> {
  const rounds: { readonly mine: Measured; readonly other: Measured }[] = [];
  await ours();
  await theirs();
  for (let round = 0; round < ROUNDS; round++) {
    await sink.requests();
    const mine = await measure(ours);
    const asked = await sink.requests();
    if (requests !== undefined && asked !== requests) throw new Error(`${name}: ${asked} requests, not ${requests}`);
    rounds.push({ mine, other: await measure(theirs) });
  }
  const ratio = median(rounds.map(({ mine, other }) => mine.cpuSeconds / other.cpuSeconds));
  const { mine, other } = median(rounds, (one) => one.mine.cpuSeconds);
  const peak = memory === undefined ? 0 : await memoryOf(sink, memory.integrity);
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  const verdict = ratio <= atMost && peak <= (memory?.atMost ?? 0) ? 'ok' : 'TOO MUCH';
  console.log(
    `${name}: CPU ${mine.cpuSeconds.toFixed(2)} s to ${other.cpuSeconds.toFixed(2)} s, ratio ${ratio.toFixed(2)} (at most ${atMost})` +
      `${memory === undefined ? '' : `; memory ${mib(peak)} (at most ${mib(memory.atMost)})`}: ${verdict}`,
  );
}

/** The most of as many processes as there are rounds. */
async function memoryOf(sink: Sink, integrity: 'crc32' | 'none'): Promise<number> {
  const peaks: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const child = fork(fileURLToPath(new URL('./memory.js', import.meta.url)), [String(sink.port), integrity]);
    const [{ peakMemory }] = (await once(child, 'message')) as [{ readonly peakMemory: number }];
    peaks.push(peakMemory);
  }
  return Math.max(...peaks);
}
