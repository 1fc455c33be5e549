import { FAULT_KINDS, type FaultKind } from '../judge/faults.js';
import type { Tally } from '../judge/tally.js';

export interface Row {
  readonly store: string;
  readonly what: string;
  readonly seed: number;
  readonly tally: Tally;
  /** What may be found; `undefined` where something must be, because the storage is broken. */
  readonly allowed: ReadonlySet<FaultKind> | undefined;
  readonly seconds: number;
}

export function isGood({ tally, allowed }: Row): boolean {
  return allowed === undefined ? tally.faults.length > 0 : tally.faultsBut(allowed).length === 0;
}

function verdict(row: Row): string {
  if (!isGood(row)) return 'FAILED';
  return row.allowed === undefined ? 'caught' : 'good';
}

/** What was run and what was found, a line for each run. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['store', 'what', 'seed', 'rounds', 'begun', 'acknowledged', ...FAULT_KINDS, 'seconds', ''];
  const lines = rows.map((row) => [
    row.store,
    row.what,
    `${row.seed}`,
    `${row.tally.rounds}`,
    `${row.tally.begun}`,
    `${row.tally.acknowledged}`,
    ...FAULT_KINDS.map((kind) => `${row.tally.count(kind)}`),
    row.seconds.toFixed(0),
    verdict(row),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const isText = (i: number): boolean => i < 2 || i === head.length - 1;
  return [head, ...lines]
    .map((line) => line.map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}
