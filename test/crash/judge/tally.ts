import { FAULT_KINDS, type Fault, type FaultKind } from './faults.js';

/** What a run of the harness has seen. */
export class Tally {
  rounds = 0;
  begun = 0;
  acknowledged = 0;
  readonly faults: Fault[] = [];

  count(kind: FaultKind): number {
    return this.faults.filter((fault) => fault.kind === kind).length;
  }

  /** Those that nothing excuses. */
  faultsBut(allowed: ReadonlySet<FaultKind>): Fault[] {
    return this.faults.filter(({ kind }) => !allowed.has(kind));
  }

  get kinds(): ReadonlySet<FaultKind> {
    return new Set(FAULT_KINDS.filter((kind) => this.count(kind) > 0));
  }
}
