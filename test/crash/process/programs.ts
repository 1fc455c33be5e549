import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';
import { build } from 'esbuild';
import { Child } from '../../filesystem/process/child.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = ['lib', 'test/crash', 'test/filesystem/process', 'test/sqlite'];

/** Below node_modules, so that what the sources import is found from there. */
const CACHE = join(ROOT, 'node_modules', '.cache');

/** The programs of tests as JavaScript: a harness starts thousands of processes, and each would take a second to compile its own. */
export class Programs {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async compile(): Promise<Programs> {
    await mkdir(CACHE, { recursive: true });
    const folder = await mkdtemp(join(CACHE, 'nestjs-storages-crash-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    for (const source of SOURCES) await compileTree(source, folder);
    await bundleThread(folder);
    return new Programs(folder);
  }

  /** @param source of the repository, as TypeScript */
  pathOf(source: string): string {
    return join(this.#folder, source.replace(/\.ts$/, '.js'));
  }

  /** A Node process of its own. */
  start(program: 'work' | 'operate' | 'contend', args: readonly string[]): Child {
    // one thread for files: its calls come in one order, and can be counted
    const env = program === 'operate' ? { ...process.env, UV_THREADPOOL_SIZE: '1' } : process.env;
    return new Child(program, args, join(this.#folder, 'test/crash/process/'), { env, compiled: true });
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

async function compileTree(source: string, target: string): Promise<void> {
  for (const entry of await readdir(join(ROOT, source), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/(?<!\.d)(?<!\.spec)\.ts$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const { code } = await transformFile(path, {
      jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, keepClassNames: true },
      module: { type: 'es6' },
    });
    const output = join(target, path.slice(ROOT.length).replace(/\.ts$/, '.js'));
    await mkdir(dirname(output), { recursive: true });
    await writeFile(output, code);
  }
}

/** Makes one file of the program of SQLiteStorage's threads: every storage that a process opens loads it twice. */
async function bundleThread(folder: string): Promise<void> {
  const program = join(folder, 'lib/backends/sqlite/thread/worker.js');
  await build({
    entryPoints: [program],
    outfile: program,
    allowOverwrite: true,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    keepNames: true,
    logLevel: 'warning',
  });
}
