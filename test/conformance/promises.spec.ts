import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { conformanceChecks } from 'nestjs-storages/testing';

const CONTRACT = new URL('../../lib/contract/storage.ts', import.meta.url);

/** The bullets of the doc comments, each a sentence that may go on in the next line. */
function promisesOf(text: string): string[] {
  const promises: string[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    const [, bullet] = /^\s*\* - (.+)$/.exec(line) ?? [];
    const [, more] = /^\s*\* {3}(\S.*)$/.exec(line) ?? [];
    if (bullet !== undefined) promises.push(bullet);
    else if (open && more !== undefined) promises.push(`${promises.pop() ?? ''} ${more}`);
    open = bullet !== undefined || (open && more !== undefined);
  }
  return promises.map((promise) => promise.replace(/\.$/, ''));
}

const promises = promisesOf(readFileSync(CONTRACT, 'utf8'));
const checked = new Set(conformanceChecks.map((check) => check.promise));

describe('the promises of the contract', () => {
  it('are read from its doc comments', () => {
    expect(promises.length).toBeGreaterThan(40);
    expect(promisesOf('/**\n * - One.\n * - Two goes\n *   on.\n *\n *   not here\n */')).toEqual([
      'One',
      'Two goes on',
    ]);
  });

  it('stand there once each', () => {
    expect(promises.filter((promise, index) => promises.indexOf(promise) !== index)).toEqual([]);
  });

  it('each have checks in the suite', () => {
    expect(promises.filter((promise) => !checked.has(promise))).toEqual([]);
  });

  it('are all that the suite checks', () => {
    expect([...checked].filter((promise) => !promises.includes(promise))).toEqual([]);
  });

  it('are checked in the order in which they stand', () => {
    expect([...checked]).toEqual(promises);
  });
});

describe('the checks of the suite', () => {
  it('are at least 200', () => {
    expect(conformanceChecks.length).toBeGreaterThanOrEqual(200);
  });

  it('have names of their own within their promise', () => {
    const names = conformanceChecks.map((check) => `${check.promise}: ${check.name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
