import { randomInt } from 'node:crypto';

const MICROSECONDS = 1_000_000;
/** Half a microsecond: the kernel gets a binary fraction and cuts it to whole microseconds, which must not be the one before. */
const ROUNDING = 0.5;
/** The least distance of two versions, in microseconds. */
const STEP = 2;
/** A second before the last that 32 bits with a sign can count. */
const LAST_EXACT_NS = (2n ** 31n - 2n) * 1_000_000_000n;

/**
 * Gives every file a time of its own. The kernel's own stamps come from a clock that ticks every few milliseconds: an object that is
 * deleted and made again within a tick, in the same inode and of the same size, would be taken for the same version.
 */
export class VersionClock {
  /** Keeps the stamps of two processes apart within one millisecond. */
  readonly #offset = randomInt(450) * STEP;
  #last = 0;

  /** Seconds since 1970: now, and never the same twice. */
  next(): number {
    this.#last = Math.max(Date.now() * 1000 + this.#offset, this.#last + STEP);
    return toSeconds(this.#last);
  }
}

/** Seconds since 1970 of the first stamps worth trying after a version's, the nearest first: file systems keep different fractions. */
export function stampsAfter(mtimeNs: bigint): number[] {
  const base = Number(mtimeNs / 1000n);
  return [STEP, 10_000, 2_100_000].map((microseconds) => toSeconds(base + microseconds));
}

/**
 * Whether the nearest of them is what a file gets, to the microsecond, wherever microseconds are kept: not before 1970, of which Node makes now,
 * nor from 2038 on, where file systems with 32 bits for the seconds end, and a double comes to its last microsecond (in 2106).
 */
export function hasExactStampAfter(mtimeNs: bigint): boolean {
  return mtimeNs >= 0n && mtimeNs < LAST_EXACT_NS;
}

/** What a file system that keeps microseconds says of a stamp. */
export function toNanoseconds(seconds: number): bigint {
  return BigInt(Math.floor(seconds * MICROSECONDS)) * 1000n;
}

function toSeconds(microseconds: number): number {
  return (microseconds + ROUNDING) / MICROSECONDS;
}
