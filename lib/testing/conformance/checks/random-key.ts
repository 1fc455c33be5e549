import type { Random } from '../sources/random.js';

/** Pieces that have hurt: separators, dots, escapes, wildcards, letters whose case or form is folded somewhere, wide characters. */
const PIECES = [
  'a',
  'A',
  'b',
  '0',
  '/',
  '/',
  '/',
  '\\',
  '.',
  '..',
  '%2F',
  '%',
  '_',
  ' ',
  '*',
  '?',
  '#',
  '~',
  ':',
  '\u00e9',
  'e\u0301',
  '\u0130',
  'ß',
  '\uff5e',
  '😀',
  '\ue000',
  '漢',
  'x'.repeat(120),
] as const;

/** A random key that has a canonical form: the last part makes sure of it. */
export function randomKey(random: Random): string {
  const pieces = Array.from({ length: random.integer(1, 7) }, () => random.pick(PIECES));
  // what climbs over this check's own prefix would be another check's
  const climbing = pieces.join('').replaceAll('\\', '/').split('/').includes('..');
  return `${climbing ? pieces.join('').replaceAll('..', '.,') : pieces.join('')}z`;
}
