import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { whyNotHere } from '../../lib/backends/sqlite/thread/driver.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the two entries need besides better-sqlite3, and the loader that takes the types off. */
const PACKAGES = ['mime-types', 'mime-db', '@swc/core', '@swc/counter', '@swc/types'];

/** Runs a program in a copy of the sources that finds no better-sqlite3, or one that cannot be loaded. */
async function runWithout(driver: string | undefined, program: string, version = '12.0.0'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-sqlite-'));
  try {
    await cp(join(ROOT, 'lib'), join(folder, 'lib'), { recursive: true });
    for (const name of ['register.js', 'typescript-loader.js']) {
      await cp(join(ROOT, 'test/sqlite/process', name), join(folder, name));
    }
    await mkdir(join(folder, 'node_modules/@swc'), { recursive: true });
    for (const name of PACKAGES) {
      await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    if (driver !== undefined) {
      await mkdir(join(folder, 'node_modules/better-sqlite3'));
      await writeFile(join(folder, 'node_modules/better-sqlite3/index.js'), driver);
      await writeFile(join(folder, 'node_modules/better-sqlite3/package.json'), JSON.stringify({ version }));
    }
    await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
    await writeFile(join(folder, 'program.ts'), program);
    const child = spawn(process.execPath, ['--no-warnings', '--import', './register.js', 'program.ts'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    return output.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}

const OPEN = `
  import { SQLiteStorage } from './lib/backends/sqlite/index.js';
  const storage = new SQLiteStorage({ filename: 'files.db' });
  await storage.put('a', 'a').catch(({ code, message }) => console.log(code + ': ' + message));
`;

const UNBUILT = "module.exports = class { constructor() { throw new Error('Could not locate the bindings file.'); } };";

describe('better-sqlite3', () => {
  it('is named, with the command to install it, where it is missing', async () => {
    expect(await runWithout(undefined, OPEN)).toBe(
      'INVALID_CONFIGURATION: SQLiteStorage needs the package better-sqlite3: npm install better-sqlite3',
    );
  });

  it('is named, with the command to build it, where it has no binary for this Node', async () => {
    expect(await runWithout(UNBUILT, OPEN)).toContain('npm rebuild better-sqlite3');
  });

  it('is not loaded where it would end the process: 13 on a Node below 22.14', async () => {
    const isOld = Number(process.versions['napi']) < 10;
    expect(await runWithout(UNBUILT, OPEN, '13.2.0')).toContain(
      isOld
        ? 'SQLiteStorage: better-sqlite3 13.2.0 needs Node 22.14 or later: npm install better-sqlite3@12'
        : 'npm rebuild better-sqlite3',
    );
  });

  it.each([
    ['12.11.1', '9', undefined],
    ['13.2.0', '9', expect.stringContaining('better-sqlite3 13.2.0 needs Node 22.14 or later')],
    ['13.2.0', '10', undefined],
    ['14.0.0', '9', expect.stringContaining('better-sqlite3 14.0.0')],
    ['14.0.0', '11', undefined],
    [undefined, '9', undefined],
  ])('is refused by its version %s on Node-API %s: %s', (version, napi, expected) => {
    expect(whyNotHere(version, napi)).toEqual(expected);
  });
});
