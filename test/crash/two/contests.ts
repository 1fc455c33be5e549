import type { Fault } from '../judge/faults.js';

/** What only one may have, and who says that it had it. */
export class Contests {
  /** By counter, how often each value was won. */
  readonly #won = new Map<string, Map<number, number>>();
  readonly #held: { readonly who: string; readonly from: number; readonly to: number }[] = [];

  hear(word: string, details: readonly unknown[]): void {
    if (word === 'won') {
      const [key, value] = [String(details[0]), Number(details[1])];
      const wins = this.#won.get(key) ?? new Map<number, number>();
      this.#won.set(key, wins.set(value, (wins.get(value) ?? 0) + 1));
    } else if (word === 'held') {
      this.#held.push({ who: String(details[0]), from: Number(details[1]), to: Number(details[2]) });
    }
  }

  /** @param counted what the counters say in the end */
  judge(counted: ReadonlyMap<string, number>): Fault[] {
    return [...[...counted].flatMap(([key, count]) => this.#judgeCounter(key, count)), ...this.#judgeLock()];
  }

  #judgeCounter(key: string, count: number): Fault[] {
    const wins = this.#won.get(key) ?? new Map<number, number>();
    const faults: Fault[] = [];
    for (const [value, times] of wins) {
      if (times > 1) faults.push({ kind: 'twice', what: `${key}: ${value} was won ${times} times` });
      if (!(value <= count)) faults.push({ kind: 'lost', what: `${key}: ${value} was won, and it is ${count}` });
    }
    return faults;
  }

  #judgeLock(): Fault[] {
    const held = this.#held.sort((a, b) => a.from - b.from);
    return held.flatMap(({ who, from }, i): Fault[] => {
      const before = held[i - 1];
      if (before === undefined || before.to <= from) return [];
      return [{ kind: 'twice', what: `the lock was held by ${before.who} and ${who} at once` }];
    });
  }
}
