export type { Check, CheckContext, ExpectedError, Need } from './check.js';
export { ALL_CHECKS as conformanceChecks } from './checks/index.js';
export { checksFor } from './checks-for.js';
export type {
  ConformanceHarness,
  ConformanceLimits,
  ConformanceRunner,
  CreateOptions,
  OpenedStorage,
  RegisteredHarness,
} from './harness.js';
export type { Random } from './sources/random.js';
export { runConformance, type CheckResult, type ConformanceReport, type RunOptions } from './run-conformance.js';
export { storageConformance } from './storage-conformance.js';
