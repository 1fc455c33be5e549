import type { Check } from './check.js';
import { checksFor } from './checks-for.js';
import type { OpenedStorage, RegisteredHarness } from './harness.js';
import { ConformanceSession } from './session.js';

/**
 * Registers the whole suite: every promise of `Storage` as a `describe`, its checks as `it`. A check whose capability is not
 * declared is replaced by the checks that the storage refuses it.
 *
 * @example
 * import { describe, it } from 'node:test';
 * storageConformance({ name: 'mine', capabilities, create: async () => ..., runner: { describe, it } });
 */
export function storageConformance<O extends OpenedStorage>(harness: RegisteredHarness<O>): void {
  const { describe, it, afterAll } = harness.runner;
  const session = new ConformanceSession(harness);
  const byPromise = new Map<string, Check[]>();
  for (const check of checksFor(harness.capabilities)) {
    const checks = byPromise.get(check.promise);
    if (checks === undefined) byPromise.set(check.promise, [check]);
    else checks.push(check);
  }
  describe(harness.name, () => {
    for (const [promise, checks] of byPromise) {
      describe(promise, () => {
        for (const check of checks) {
          // opening, the check and closing; the runner's own time-out comes last: the suite's says what hung
          const timeout = session.limits.timeout * (check.patience ?? 1) * 3 + 20_000;
          it(check.name, () => session.run(check), timeout);
        }
      });
    }
    it('closes the storage that the checks shared', () => session.close(), session.limits.timeout + 20_000);
    // runners let single checks be picked, and then leave the one above out
    afterAll?.(() => session.close());
  });
}
