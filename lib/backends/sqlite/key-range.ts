/**
 * The first string behind all that begin with a prefix, in UTF-8 byte order; `undefined` where there is none. Well-formed strings are
 * ordered by their UTF-8 bytes as by their code points, so the last code point is raised by one.
 *
 * @example
 * behindPrefix('photo'); // 'photp'
 */
export function behindPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix);
  while (points.length > 0) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last < 0x10ffff) {
      // U+D800 to U+DFFF are no code points of their own
      const next = last === 0xd7ff ? 0xe000 : last + 1;
      return points.join('') + String.fromCodePoint(next);
    }
  }
  return undefined;
}
