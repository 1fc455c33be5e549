/**
 * Compares two well-formed strings by the bytes of their UTF-8 form, the order of every listing. UTF-16 units (JavaScript's `<`)
 * order U+FF5E after U+1F600; UTF-8 bytes, like code points, before it.
 *
 * @example
 * keys.sort(compareKeys);
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates (which stand for U+10000 and above) behind U+E000 to U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
