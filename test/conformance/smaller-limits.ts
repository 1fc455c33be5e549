import type { ConformanceLimits } from 'nestjs-storages/testing';

const MIB = 1024 * 1024;

/**
 * For every run of a backend but its first: the same checks, on fewer keys and bytes. What only shows at the full size shows in the
 * first run, and a further one is there for what it does otherwise: another durability, another size of its pieces, a wrapper.
 */
export const SMALLER_LIMITS = {
  // more than twice of what may be held of it
  memoryObject: 128 * MIB,
  // one page of a listing, one request of a deletion, and one more
  manyKeys: 1001,
  deleteCounts: [0, 1, 2, 1000, 1001],
} satisfies Partial<ConformanceLimits>;
