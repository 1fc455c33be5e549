/** What is in a {@link LiveList} knows its place there. */
export interface Listed {
  place?: number | undefined;
}

/**
 * The few things that are under way at a moment, each in for a short time, of which many come and go. In no order.
 *
 * Not a `Set`: one that lives long makes a new table whenever it is full of what was deleted, and what stood in the old ones outlives the next
 * collections of young objects. With the requests in it that was twice of what otherwise outlives them, and the collections took three times as long.
 */
export class LiveList<T extends Listed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.place ??= this.#items.push(item) - 1;
  }

  /** Does nothing for what is not in. */
  delete(item: T): void {
    const { place } = item;
    if (place === undefined) return;
    item.place = undefined;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** All that is in now: what comes or goes meanwhile changes nothing of it. */
  all(): T[] {
    return [...this.#items];
  }

  some(test: (item: T) => boolean): boolean {
    return this.#items.some(test);
  }
}
