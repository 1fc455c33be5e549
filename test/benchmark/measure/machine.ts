import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

const { resolve } = createRequire(import.meta.url);

function versionOf(packageName: string): string {
  const text = readFileSync(resolve(`${packageName}/package.json`), 'utf8');
  return `${packageName} ${/"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown'}`;
}

/** What the figures depend on, in one line; the load says whether the machine was ours alone. */
export function machineLine(packages: readonly string[]): string {
  return [
    cpus()[0]?.model ?? 'unknown processor',
    `${cpus().length} cores`,
    `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    `${type()} ${release()}`,
    `Node ${process.version}`,
    ...packages.map(versionOf),
    `load ${loadavg()[0]?.toFixed(2) ?? 'unknown'} at the start`,
  ].join(', ');
}

/** `ext4`, `tmpfs`, ...: as `df -T` says. */
export function fileSystemOf(path: string): string {
  return execFileSync('df', ['--output=fstype', path], { encoding: 'utf8' }).trim().split('\n').at(-1) ?? 'unknown';
}
