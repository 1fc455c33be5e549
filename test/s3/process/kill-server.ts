// Kills the server (radosgw, osd and mon of a Ceph on bluestore) with kill -9 while a process uploads, starts it again on the same data, and checks
// what was acknowledged: `npm run test:s3-killed-server`, as root, on Linux. Ends with 1 when a promise is broken.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { Child } from '../../filesystem/process/child.js';
import { S3Storage } from '../../../lib/backends/s3/index.js';
import { Testimony } from './testimony.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../server/start-ceph.sh', import.meta.url));
const ROUNDS = 3;
const MIB = 1024 * 1024;

const folder = await mkdtemp(join(tmpdir(), 's3-kill-'));
const env = { ...process.env, CEPH_STORE: 'bluestore', S3_DIR: folder, S3_PORT: process.env['S3_PORT'] ?? '27100' };

const ceph = async (command: 'start' | 'wipe'): Promise<Map<string, string>> => {
  const { stdout } = await promisify(execFile)(SCRIPT, [command], { env });
  const pairs = stdout.matchAll(/^(\w+)=(.*)$/gm);
  return new Map(Array.from(pairs, ([, name = '', value = '']) => [name, value]));
};

async function killServer(): Promise<void> {
  for (const daemon of ['client.rgw.a', 'osd.0', 'mon.a']) {
    const pid = Number(await readFile(join(folder, 'run-native', `${daemon}.pid`), 'utf8'));
    process.kill(pid, 'SIGKILL');
  }
}

try {
  const server = await ceph('start');
  const connection = {
    endpoint: server.get('S3_ENDPOINT') ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: server.get('S3_ACCESS_KEY_ID') ?? '',
      secretAccessKey: server.get('S3_SECRET_ACCESS_KEY') ?? '',
    },
  };
  await new S3Client(connection).send(new CreateBucketCommand({ Bucket: 'killed' }));
  for (let round = 1; round <= ROUNDS; round++) {
    const config = {
      ...connection,
      bucket: 'killed',
      prefix: `round-${round}`,
      partSize: 5 * MIB,
      maxAttempts: 2,
      conditions: { createOnly: true, multipart: false, compareAndSwap: false },
    };
    const child = new Child('upload', [JSON.stringify(config)], HERE);
    if ((await child.line()) !== 'ready') throw new Error('The process that uploads is not ready.');
    const testimony = new Testimony();
    for (let lines = 20 + 10 * round; lines > 0; lines--) testimony.hear(await child.line());
    await killServer();
    const storedBefore = testimony.stored.size;
    // it goes on against a server that is not there
    while (testimony.failed.size === 0) testimony.hear(await child.line());
    await ceph('start');
    // and against the one that is there again
    for (let more = testimony.stored.size + 5; testimony.stored.size < more;) testimony.hear(await child.line());
    await child.kill();
    for await (const line of child.rest()) testimony.hear(line);

    const storage = new S3Storage(config);
    for (let rounds = 0; (await storage.sweep({ olderThan: 0 })).aborted > 0; rounds++) {
      if (rounds > 20) throw new Error('The sweep does not come to an end.');
      await delay(100);
    }
    const violations = await testimony.violations(storage);
    await storage.close();
    const codes = new Set(testimony.failed.values());
    console.log(
      `round ${round}: ${storedBefore} acknowledged before the kill, ${testimony.stored.size} in all; ` +
        `${testimony.failed.size} failed (${[...codes].join()}); ${violations.length} promises broken`,
    );
    for (const violation of violations) console.log(violation);
    if (violations.length > 0) process.exitCode = 1;
  }
} finally {
  await ceph('wipe');
  await rm(folder, { recursive: true });
}
