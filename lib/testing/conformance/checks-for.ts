import type { Capabilities } from '../../contract/index.js';
import { ALL_CHECKS } from './checks/index.js';
import type { Check } from './check.js';
import { NEEDS } from './needs.js';

/**
 * The checks for a storage with these capabilities. In place of those whose need is not declared come, once for each promise, the
 * checks that the storage refuses it.
 */
export function checksFor(capabilities: Capabilities): readonly Check[] {
  const chosen = new Map<string, Check>();
  for (const check of ALL_CHECKS) {
    for (const applicable of applicableOf(check, capabilities)) {
      chosen.set(`${applicable.promise}\n${applicable.name}`, applicable);
    }
  }
  return [...chosen.values()];
}

function applicableOf(check: Check, capabilities: Capabilities): readonly Check[] {
  if (check.needs === undefined) return [check];
  const { isDeclared, instead } = NEEDS[check.needs];
  if (isDeclared(capabilities)) return [check];
  return instead.map((body) => ({ ...body, promise: check.promise }));
}
