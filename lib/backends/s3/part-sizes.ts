/** S3's own limits: of the parts of one upload, and of an object. */
export const MAX_PARTS = 10_000;
export const MAX_OBJECT = 5 * 1024 ** 4;

const MIB = 1024 * 1024;
/** Parts after which those that follow are four times as large, where the length is not known: 8 MiB reach 5.3 TiB. */
const STEP = 2000;
const FACTOR = 4;
const MAX_PART = 5 * 1024 * MIB;

/**
 * Bytes of a part. All parts but the last are equal where the length is known (R2 wants it so) and up to 2,000 parts where it is not.
 *
 * @param number from 1
 */
export function partSizeOf(number: number, configured: number, length: number | undefined): number {
  if (length !== undefined) return Math.max(configured, Math.ceil(length / MAX_PARTS / MIB) * MIB);
  return Math.min(configured * FACTOR ** Math.floor((number - 1) / STEP), MAX_PART);
}
