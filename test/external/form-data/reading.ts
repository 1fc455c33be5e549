import { createHash } from 'node:crypto';
import type { ExpectedPart } from './vector.js';

export interface SeenPart {
  readonly name: string | undefined;
  readonly filename: string | undefined;
  readonly mimeType: string | undefined;
  readonly charset?: string | undefined;
  readonly encoding?: string | undefined;
  readonly body: Buffer;
}

/** What a reader made of a body: its parts, or why it refused it. */
export type Reading =
  { readonly parts: readonly SeenPart[]; readonly refused?: undefined } | { readonly refused: string };

/** What a reader tells of a part. */
export type Aspect = 'charset' | 'encoding';

/** @returns what differs, undefined where nothing does */
export function differenceBetween(
  expected: readonly ExpectedPart[] | undefined,
  reading: Reading,
  aspects: readonly Aspect[] = [],
): string | undefined {
  if (reading.refused !== undefined) return expected === undefined ? undefined : `refused: ${reading.refused}`;
  if (expected === undefined) return `taken, with ${reading.parts.length} parts`;
  if (expected.length !== reading.parts.length) {
    return `${reading.parts.length} parts instead of ${expected.length}`;
  }
  for (const [index, part] of expected.entries()) {
    const seen = reading.parts[index];
    const difference = seen === undefined ? 'a part is missing' : differenceOfPart(part, seen, aspects);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function differenceOfPart(expected: ExpectedPart, seen: SeenPart, aspects: readonly Aspect[]): string | undefined {
  // RFC 7578, section 4.4: a part without a type is text/plain
  const mimeType = (part: ExpectedPart | SeenPart): string => part.mimeType ?? 'text/plain';
  const pairs: [string, string | undefined, string | undefined][] = [
    ['name', expected.name, seen.name],
    ['filename', expected.filename, seen.filename],
    ['type', mimeType(expected), mimeType(seen)],
  ];
  for (const aspect of aspects)
    if (expected[aspect] !== undefined) pairs.push([aspect, expected[aspect], seen[aspect]]);
  for (const [what, should, is] of pairs) {
    if (should !== is) return `${what} ${JSON.stringify(is)} instead of ${JSON.stringify(should)}`;
  }
  const { size, body, checksum } = expected;
  if (seen.body.length !== size) return `${seen.body.length} bytes instead of ${size}`;
  if (body !== undefined && !body.equals(seen.body)) return 'other bytes';
  if (checksum !== undefined && createHash('sha256').update(seen.body).digest('hex') !== checksum) return 'other bytes';
  return undefined;
}
