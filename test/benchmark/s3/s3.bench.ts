/**
 * S3Storage beside @aws-sdk/lib-storage and the SDK's own PutObject, into a sink that keeps nothing: CPU of the whole process in alternating
 * rounds. Run by `npm run bench -- s3 [words]`; BENCH_ROUNDS (default 5) says how many rounds.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { S3Storage } from 'nestjs-storages/s3';
import { measure, median, type Measured } from '../sqlite/measure.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const PIECE = randomBytes(64 * KIB);
const PART = 8 * MIB;
const CONCURRENCY = 4;
const LARGE = 256 * MIB;
const SMALL = randomBytes(10 * KIB);
const SMALLS = 1000;

interface Work {
  readonly name: string;
  readonly ours: () => Promise<unknown>;
  readonly theirs: () => Promise<unknown>;
  /** What the ratio of ours to theirs, in CPU, is held to. */
  readonly atMost: number;
  /** Bytes of memory that ours may take. */
  readonly memory?: number;
  readonly requests?: number;
}

/** A stream of unknown length, in pieces as a socket gives them. */
function stream(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: 64 * KIB,
    read() {
      const piece = Buffer.allocUnsafeSlow(Math.min(left, PIECE.length));
      piece.set(PIECE.subarray(0, piece.length));
      left -= piece.length;
      this.push(piece.length > 0 ? piece : null);
    },
  });
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

function worksOn(sink: Sink): readonly Work[] {
  const connection = {
    endpoint: `http://127.0.0.1:${sink.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'sink', secretAccessKey: 'sink' },
    forcePathStyle: true,
  };
  const conditions = { createOnly: false, multipart: false, compareAndSwap: false };
  const storages = { conditions, bucket: 'bench', partSize: PART, concurrency: CONCURRENCY };
  const withCrc = new S3Storage({ ...connection, ...storages, integrity: 'crc32' });
  const without = new S3Storage({ ...connection, ...storages, integrity: 'none' });
  const sdkWithCrc = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_SUPPORTED' });
  const sdkWithout = new S3Client({ ...connection, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const upload = (client: S3Client): Promise<unknown> =>
    new Upload({
      client,
      params: { Bucket: 'bench', Key: 'large', Body: stream(LARGE) },
      partSize: PART,
      queueSize: CONCURRENCY,
    }).done();
  const memory = (CONCURRENCY + 2) * PART + 32 * MIB;
  const each = async (put: (n: number) => Promise<unknown>): Promise<void> => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < SMALLS) await put(next++);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  };
  return [
    {
      name: 'large crc32 (to lib-storage)',
      ours: () => withCrc.put('large', stream(LARGE)),
      theirs: () => upload(sdkWithCrc),
      atMost: 0.6,
      memory,
    },
    {
      name: 'large without checksums (to lib-storage)',
      ours: () => without.put('large', stream(LARGE)),
      theirs: () => upload(sdkWithout),
      atMost: 0.6,
      memory,
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
    for (const work of worksOn(sink)) {
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
  const peak = Math.max(...rounds.map((one) => one.mine.peakMemory));
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  const verdict = ratio <= atMost && (memory === undefined || peak <= memory) ? 'ok' : 'TOO MUCH';
  console.log(
    `${name}: CPU ${mine.cpuSeconds.toFixed(2)} s to ${other.cpuSeconds.toFixed(2)} s, ratio ${ratio.toFixed(2)} (at most ${atMost}); ` +
      `memory ${mib(peak)}${memory === undefined ? '' : ` (at most ${mib(memory)})`}, theirs ${mib(other.peakMemory)}: ${verdict}`,
  );
}
