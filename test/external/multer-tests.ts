import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { arrayIn, objectIn, textIn } from './json.js';
import { DIFFERENCES } from './multer/differences.js';

// Runs multer's own tests against its API over the library's interceptors. Arguments: the folder of multer's repository, and a folder to
// work in, which is kept so that npm has to install only once. Without it a temporary one is made and removed. See README.md.
const [suite, kept] = process.argv.slice(2);
if (suite === undefined) throw new Error("Give the folder of multer's repository.");
const folder = kept === undefined ? await mkdtemp(join(tmpdir(), 'multer-tests-')) : resolve(kept);
try {
  await prepare(suite);
  report(await runTests());
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

/** Lays out the tests, what they need, and a `multer` that is ours. */
async function prepare(from: string): Promise<void> {
  await mkdir(join(folder, 'tmp'), { recursive: true });
  // one test takes a function out of lib
  for (const part of ['test', 'lib']) await cp(join(from, part), join(folder, part), { recursive: true });
  const manifest = objectIn(JSON.parse(await readFile(join(from, 'package.json'), 'utf8')), 'package.json');
  const needed = ['dependencies', 'devDependencies'].flatMap((kind) => Object.entries(objectIn(manifest[kind], kind)));
  // of the linter and the coverage no test has need
  const dependencies = Object.fromEntries(needed.filter(([name]) => name !== 'standard' && name !== 'nyc'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(
    join(folder, 'index.js'),
    "module.exports = globalThis[Symbol.for('nestjs-storages.multer-shim')];\n",
  );
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], process.env);
}

async function runTests(): Promise<unknown> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const output = join(folder, 'results.json');
  await rm(output, { force: true });
  await run(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', '--import', here('../upload/process/typescript.js')],
      ...['--import', here('./multer/multer-shim.ts'), 'node_modules/mocha/bin/_mocha', '--exit', '--check-leaks'],
      ...['--reporter', 'json', '--reporter-option', `output=${output}`, 'test/'],
    ],
    { ...process.env, TMPDIR: join(folder, 'tmp') },
  );
  return JSON.parse(await readFile(output, 'utf8'));
}

function report(results: unknown): void {
  const { tests, failures } = objectIn(results, 'results');
  const all = arrayIn(tests, 'tests').length;
  const failed = arrayIn(failures, 'failures').map((failure) => {
    const { fullTitle, err } = objectIn(failure, 'a failure');
    return { title: textIn(fullTitle, 'a title'), error: String(objectIn(err, 'an error')['message']) };
  });
  console.log(`${all - failed.length} of ${all} passed, ${failed.length} failed`);
  for (const { title, error } of failed) {
    console.log(`\n${title}\n  ${error.split('\n')[0] ?? ''}\n  ${DIFFERENCES.get(title) ?? 'NOT EXPLAINED'}`);
  }
  const titles = new Set(failed.map(({ title }) => title));
  const passed = [...DIFFERENCES.keys()].filter((title) => !titles.has(title));
  for (const title of passed) console.log(`\n${title}\n  passed, AND SHOULD NOT`);
  if (passed.length > 0 || failed.some(({ title }) => !DIFFERENCES.has(title))) process.exitCode = 1;
}

/** Runs a program in the folder. mocha exits with the number of its failures, which its output has too. */
async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === null || (program === 'npm' && code !== 0)) throw new Error(`${program} failed: ${code ?? 'killed'}.`);
}
