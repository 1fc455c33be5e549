import type { Checksum } from './options.js';

/** The one digest of a checksum that is of one algorithm. */
export function singleChecksum(checksum: Checksum | undefined): readonly [keyof Checksum, string] | undefined {
  for (const algorithm of ['sha256', 'md5', 'crc32'] as const) {
    const digest = checksum?.[algorithm];
    if (digest !== undefined) return [algorithm, digest];
  }
  return undefined;
}
