// After a run: stops the Ceph that its suites have started, with all its data.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('../test/s3/server/start-ceph.sh', import.meta.url));

export default async function tearDown() {
  const { NESTJS_STORAGES_CEPH_DIR: folder, NESTJS_STORAGES_CEPH_PORT: port } = process.env;
  if (folder === undefined || !existsSync(folder)) return;
  await promisify(execFile)(SCRIPT, ['wipe'], { env: { ...process.env, S3_DIR: folder, S3_PORT: port } });
  await rm(folder, { recursive: true });
}
