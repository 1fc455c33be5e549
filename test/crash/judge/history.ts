import { EMPTY } from '../workload/version.js';
import type { Fault } from './faults.js';
import type { Inventory } from './inventory.js';

/** Versions by keys; `null` for none. */
export type Changes = Readonly<Record<string, string | null>>;

interface Step {
  readonly changes: Changes;
  readonly begun: number;
  /** `undefined` for one that was under way. */
  ended?: number;
  /** Of one that failed, or was under way, nobody knows what it did. */
  acknowledged: boolean;
}

/** What a reader has found under a key, at some moment between two. */
interface Read {
  readonly key: string;
  readonly version: string | null;
  readonly from: number;
  readonly to: number;
}

/**
 * What a storage was told and has acknowledged, and so what may be found in it. Steps may run beside each other, also on one key: a version
 * is acceptable unless a step that replaced it both began after its acknowledgement and was acknowledged itself.
 *
 * Times are those of hearing, or, of several processes that are heard apart from each other, of one clock that all of them read.
 */
export class History {
  readonly #steps = new Map<string, Step>();
  readonly #settled: Step[] = [];
  readonly #reads: Read[] = [];
  /** Every version that a key ever was to have. */
  readonly #ever = new Map<string, Set<string>>();
  #state: ReadonlyMap<string, string> = new Map();
  #clock = 0;
  begun = 0;
  acknowledged = 0;

  begin(id: string, changes: Changes, at = this.#clock++): void {
    this.begun++;
    this.#steps.set(id, { changes, begun: at, acknowledged: false });
    for (const [key, version] of Object.entries(changes)) {
      if (version === null) continue;
      const versions = this.#ever.get(key) ?? new Set();
      this.#ever.set(key, versions.add(version));
    }
  }

  acknowledge(id: string, at = this.#clock++): void {
    this.#end(id, at).acknowledged = true;
    this.acknowledged++;
  }

  /** It may have happened or not. */
  fail(id: string, at = this.#clock++): void {
    this.#end(id, at);
  }

  /** A condition did not hold: it has not happened. */
  refuse(id: string): void {
    const { changes } = this.#take(id);
    for (const [key, version] of Object.entries(changes)) if (version !== null) this.#ever.get(key)?.delete(version);
  }

  read(key: string, version: string | null, from: number, to: number): void {
    this.#reads.push({ key, version, from, to });
  }

  #end(id: string, at: number): Step {
    const step = this.#take(id);
    this.#settled.push(step);
    step.ended = at;
    return step;
  }

  #take(id: string): Step {
    const step = this.#steps.get(id);
    if (step === undefined) throw new Error(`Nobody has begun ${id}.`);
    this.#steps.delete(id);
    return step;
  }

  /** Compares with what is there now, which is where the next round begins. */
  judge(inventory: Inventory): Fault[] {
    const { objects } = inventory;
    const steps = [...this.#settled, ...this.#steps.values()];
    const keys = new Set([
      ...this.#state.keys(),
      ...objects.keys(),
      ...steps.flatMap(({ changes }) => Object.keys(changes)),
    ]);
    const faults = [...inventory.faults];
    for (const key of keys) {
      if (!inventory.isUnreadable(key)) faults.push(...this.#judgeKey(key, steps, objects.get(key) ?? null));
    }
    faults.push(...this.#judgeReads(steps));
    if (faults.length === 0) faults.push(...steps.flatMap((step) => this.#judgeStep(step, steps, objects)));
    this.#steps.clear();
    this.#settled.length = 0;
    this.#reads.length = 0;
    this.#state = objects;
    return faults;
  }

  /** @param from, to when it was looked for: at the end, if nothing else is said */
  #acceptable(key: string, steps: readonly Step[], from = Infinity, to = Infinity): Set<string | null> {
    const writes = steps.filter(({ changes, begun }) => key in changes && begun < to);
    const replacing = writes.filter(({ acknowledged, ended = Infinity }) => acknowledged && ended < from);
    const replaced = (ended: number | undefined): boolean =>
      ended !== undefined && replacing.some(({ begun }) => begun > ended);
    const versions = writes.filter(({ ended }) => !replaced(ended)).map(({ changes }) => changes[key] ?? null);
    if (!replaced(-1)) versions.push(this.#state.get(key) ?? null);
    return new Set(versions);
  }

  #judgeReads(steps: readonly Step[]): Fault[] {
    const byKey = new Map<string, Step[]>();
    for (const { key } of this.#reads) byKey.set(key, []);
    for (const step of steps) for (const key of Object.keys(step.changes)) byKey.get(key)?.push(step);
    return this.#reads.flatMap(({ key, version, from, to }): Fault[] => {
      if (this.#acceptable(key, byKey.get(key) ?? [], from, to).has(version)) return [];
      return [{ kind: version === null ? 'lost' : 'stale', what: `${key} was read as ${version ?? 'nothing'}` }];
    });
  }

  #judgeKey(key: string, steps: readonly Step[], found: string | null): Fault[] {
    const acceptable = this.#acceptable(key, steps);
    if (acceptable.has(found)) return [];
    const what = `${key} is ${found ?? 'nothing'}, and must be ${[...acceptable].map((version) => version ?? 'nothing').join(' or ')}`;
    if (found === null) return [{ kind: 'lost', what }];
    if (found === EMPTY && this.#ever.get(key)?.has(EMPTY) !== true) return [{ kind: 'partial', what }];
    if (this.#ever.get(key)?.has(found) !== true) return [{ kind: 'uncommitted', what }];
    return [{ kind: [...acceptable].every((version) => version === null) ? 'resurrected' : 'stale', what }];
  }

  /** A step on several keys is done wholly or not at all. */
  #judgeStep(step: Step, steps: readonly Step[], objects: ReadonlyMap<string, string>): Fault[] {
    const { changes, acknowledged } = step;
    const keys = Object.keys(changes);
    if (acknowledged || keys.length < 2) return [];
    // what others did to one of its keys since says nothing of this step
    const mayHaveChanged = ({ ended = Infinity, changes: others }: Step): boolean =>
      ended > step.begun && keys.some((key) => key in others);
    if (steps.some((other) => other !== step && mayHaveChanged(other))) return [];
    const done = keys.flatMap((key) => {
      const found = objects.get(key) ?? null;
      const isAmbiguous = [...this.#acceptable(key, steps)].length < 2;
      return isAmbiguous ? [] : [found === changes[key]];
    });
    if (new Set(done).size < 2) return [];
    return [{ kind: 'halfway', what: keys.map((key) => `${key} is ${objects.get(key) ?? 'nothing'}`).join(', ') }];
  }
}
