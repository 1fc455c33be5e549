/** Keys that both processes write to: objects beside folders of their names, names that no file can have, and those of the storage's own folder. */
export const SHARED = [
  'a',
  'a/b',
  'a/b/c',
  'x'.repeat(401),
  `d/${'y'.repeat(401)}/e`,
  '.storages',
  '.storages/attrs/00/a',
  '.storages/tmp/a',
];
/** Replaced again and again, and never deleted. */
export const ALWAYS_THERE = ['always', 'always/there', 'always/there/too'];
export const COUNTERS = ['count/1', 'count/2'];
export const MUTEX = 'mutex';

export const SLOTS = ['a', 'b'] as const;
export type Slot = (typeof SLOTS)[number];

/** Keys that only one process writes to, one for each of its writers. */
export function ownKeys(slot: Slot): readonly string[] {
  return [`own/${slot}/1`, `own/${slot}/2`];
}

/** Every key that there may be. */
export function keysOfBoth(): string[] {
  return [...SHARED, ...ALWAYS_THERE, ...COUNTERS, MUTEX, ...SLOTS.flatMap(ownKeys)];
}
