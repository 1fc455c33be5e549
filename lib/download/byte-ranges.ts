import type { ResolvedRange } from '../contract/index.js';

/** The most parts of one answer. A client that wants more gets the whole (RFC 9110, section 14.2 leaves it to the server). */
export const MAX_RANGES = 16;

/** The most ranges that are looked at, overlapping ones included, before they are merged. */
const MAX_SPECS = 100;

/** RFC 9110, section 14.1.1: `first-last`, `first-` or `-suffix`. */
const SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * What a Range header asks of a representation: `ignored` where its unit is unknown, its syntax is wrong, or it asks for too
 * much; `unsatisfiable` where no byte of it is there (416); else ranges that are in order and do not touch.
 */
export type RangeRequest = 'ignored' | 'unsatisfiable' | readonly ResolvedRange[];

/** @param size of the whole, in bytes */
export function parseRange(header: string, size: number): RangeRequest {
  const unit = header.indexOf('=');
  if (unit < 0 || header.slice(0, unit).toLowerCase() !== 'bytes') return 'ignored';
  const specs = header.slice(unit + 1).split(',', MAX_SPECS + 1);
  if (specs.length > MAX_SPECS) return 'ignored';
  const ranges: { first: number; last: number }[] = [];
  let any = false;
  for (const each of specs) {
    const spec = each.trim();
    // an empty element of a list is none (RFC 9110, section 5.6.1)
    if (spec === '') continue;
    const match = SPEC.exec(spec);
    if (match === null) return 'ignored';
    any = true;
    const [, from, to, suffix] = match;
    // satisfiable by section 14.1.2, and no Content-Range could say what it is: the whole, which is nothing
    if (size === 0 && Number(suffix) > 0) return 'ignored';
    const first = from === undefined ? Math.max(0, size - Number(suffix)) : Number(from);
    const last = to ? Number(to) : size - 1;
    if (to && last < first) return 'ignored';
    if (first < size && first <= last) ranges.push({ first, last: Math.min(last, size - 1) });
  }
  if (!any) return 'ignored';
  if (ranges.length === 0) return 'unsatisfiable';
  const merged = merge(ranges);
  return merged.length > MAX_RANGES ? 'ignored' : merged;
}

/** Ranges that touch or overlap are one, in the order of the bytes: RFC 9110, section 15.3.7.2. */
function merge(ranges: readonly { readonly first: number; readonly last: number }[]): ResolvedRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged.map(({ first, last }) => ({ offset: first, length: last - first + 1 }));
}

/** RFC 9110, section 14.4: `bytes 0-499/1234`. */
export function contentRange({ offset, length }: ResolvedRange, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}
