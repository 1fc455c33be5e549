// The program of SQLiteStorage's threads as one file of JavaScript, built once for a run: a suite opens hundreds of databases with two
// threads each, and every thread would compile the same two dozen sources for itself.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { rootDir } from './jest.project.js';

/** Below node_modules, so that the driver is found from there. */
const CACHE = join(rootDir, 'node_modules', '.cache');

/** Before a run. test/sqlite/process/worker-program.ts reads where it is. */
export async function buildSqliteThread() {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'nestjs-storages-thread-'));
  const outfile = join(folder, 'worker.mjs');
  await build({
    entryPoints: [join(rootDir, 'lib/backends/sqlite/thread/worker.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    keepNames: true,
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  process.env.NESTJS_STORAGES_SQLITE_THREAD = outfile;
}

/** After it. */
export async function removeSqliteThread() {
  const { NESTJS_STORAGES_SQLITE_THREAD: program } = process.env;
  if (program !== undefined) await rm(dirname(program), { recursive: true, force: true });
}
