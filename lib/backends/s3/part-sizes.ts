/** S3's own limits: of the parts of one upload, and of an object. */
export const MAX_PARTS = 10_000;
export const MAX_OBJECT = 5 * 1024 ** 4;

const MIB = 1024 * 1024;
/** Parts after which those that follow are four times as large, where the length is not known: 8 MiB reach 5.2 TiB. */
const STEP = 2000;
const FACTOR = 4;
/** Where they grow they grow from this at least: 5 MiB would reach 3.3 TiB. */
const GROWS_FROM = 8 * MIB;
const MAX_PART = 5 * 1024 * MIB;

/**
 * Bytes of a part. All parts but the last are equal where the length is known (R2 wants it so) and up to 2,000 parts where it is not.
 *
 * @param number from 1
 */
export function partSizeOf(number: number, configured: number, length: number | undefined): number {
  if (length !== undefined) {
    return length <= configured * MAX_PARTS ? configured : Math.ceil(length / MAX_PARTS / MIB) * MIB;
  }
  const steps = Math.floor((number - 1) / STEP);
  if (steps === 0) return configured;
  return Math.min(Math.max(configured, GROWS_FROM) * FACTOR ** steps, MAX_PART);
}
