import type { Check } from './check.js';
import { checksFor } from './checks-for.js';
import type { ConformanceHarness, OpenedStorage } from './harness.js';
import { ConformanceSession } from './session.js';

export interface CheckResult {
  readonly promise: string;
  readonly name: string;
  /** Why it failed; `undefined` when it passed. */
  readonly error: unknown;
  readonly milliseconds: number;
}

export interface ConformanceReport {
  readonly storage: string;
  /** Of the random numbers, for the harness that repeats this run. */
  readonly seed: number;
  readonly results: readonly CheckResult[];
  readonly failed: readonly CheckResult[];
}

export interface RunOptions {
  /** Which checks to run. Default: all that apply to the capabilities. */
  readonly only?: (check: Check) => boolean;
}

/**
 * Runs the suite without a test runner, and reports each check.
 *
 * @example
 * const { failed } = await runConformance({ name: 'mine', capabilities, create });
 */
export async function runConformance<O extends OpenedStorage>(
  harness: ConformanceHarness<O>,
  options: RunOptions = {},
): Promise<ConformanceReport> {
  const session = new ConformanceSession(harness);
  const results: CheckResult[] = [];
  for (const check of checksFor(harness.capabilities).filter(options.only ?? (() => true))) {
    const begun = performance.now();
    const error = await failureOf(session.run(check));
    const { promise, name } = check;
    results.push({ promise, name, error, milliseconds: performance.now() - begun });
  }
  const closing = await failureOf(session.close());
  if (closing !== undefined) {
    results.push({ promise: '', name: 'the storage that the checks shared closes', error: closing, milliseconds: 0 });
  }
  const failed = results.filter(({ error }) => error !== undefined);
  return { storage: harness.name, seed: session.seed, results, failed };
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error('It failed with nothing.');
  }
}
