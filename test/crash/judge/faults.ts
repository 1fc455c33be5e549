/** What may be wrong with a storage after a crash. */
export const FAULT_KINDS = [
  /** acknowledged, and there is nothing */
  'lost',
  /** acknowledged, and there is an older version */
  'stale',
  /** bytes that are not those of a version, or not all of them */
  'partial',
  /** bytes of one version with attributes of another */
  'mixed',
  /** bytes of a version with the attributes of a file that has none */
  'unattributed',
  /** deleted, and there again */
  'resurrected',
  /** there, and never committed under this key */
  'uncommitted',
  /** one key of a step changed and the other not */
  'halfway',
  /** what only one may have, given to two: a value of a counter, a lock */
  'twice',
  /** there all the time, and not once in a listing, or not in its place */
  'unlisted',
  /** neither an object nor of a living storage, after the next start */
  'left over',
  /** an operation that failed without a reason, or with the wrong error, or an object that cannot be read */
  'failed',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** For a reader who looks for its cause. */
  readonly what: string;
}
