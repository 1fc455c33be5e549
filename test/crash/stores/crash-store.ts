import type { BaseStorage } from '../../../lib/contract/index.js';
import type { FaultKind } from '../judge/faults.js';
import type { Operation } from '../workload/operations.js';

/** How a system call is made to fail. */
export const ERRNOS = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'EINTR'] as const;
export type Errno = (typeof ERRNOS)[number];

/** A backend for the harness: how it is opened, and what it must not leave. */
export interface CrashStore {
  /** How it is called on the command line. */
  readonly name: string;
  /** Those that break a promise, for the judge to find when they are killed. */
  readonly broken: readonly string[];
  /** Those that a power cut finds out, beside `fast`. */
  readonly brokenInPowerCuts: readonly string[];
  /** Those that another process finds out. */
  readonly brokenBetweenProcesses: readonly string[];
  /** What `fast` may lose in a power cut. */
  readonly lostWhenFast: ReadonlySet<FaultKind>;
  /** What only this backend has, beside what every storage does. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** The codes of the errors that a failed system call may lead to. */
  readonly codes: Readonly<Record<Errno, readonly string[]>>;
  /** Calls of cleaning up that may fail unheard: what they leave harms nobody. */
  readonly mayLeave: ReadonlySet<string>;
  /** What is in the paths of files that it writes, of which a close that fails may be the first to tell that bytes were not taken. */
  readonly written?: RegExp;
  /** Every path that it uses, where these are known before it is opened. */
  readonly paths?: (folder: string) => readonly string[];
  /** @param variant `full`, `fast`, or one that is broken */
  open(folder: string, variant: string): BaseStorage;
  /** Cleans up beside those who work, as an application may at any time. @returns what it found wrong */
  maintain?(storage: BaseStorage): Promise<readonly string[]>;
  /**
   * What is neither an object nor of a living storage.
   *
   * @param keys of all that may be objects
   */
  leftovers(storage: BaseStorage, folder: string, keys: Iterable<string>): Promise<readonly string[]>;
}
