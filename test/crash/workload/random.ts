/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below one. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to below `to`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from));
  }

  /** @throws where there is nothing to pick from */
  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length)];
    if (item === undefined) throw new Error('There is nothing to pick from.');
    return item;
  }

  /** For another sequence of its own. */
  seed(): number {
    return this.between(0, 2 ** 32);
  }

  /** So many of the items, in their order. */
  sample<T>(items: readonly T[], count: number): T[] {
    let left = count;
    return items.filter((_, i) => {
      const taken = this.next() * (items.length - i) < left;
      if (taken) left--;
      return taken;
    });
  }
}
