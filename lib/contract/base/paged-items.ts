/**
 * What a backend fetches in pages, given out one by one. An item that has come can be taken at once: to await each of a hundred thousand costs
 * more than to fetch them.
 */
export class PagedItems<T extends object> implements AsyncIterableIterator<T, undefined> {
  readonly #items: AsyncGenerator<T, undefined>;
  #page: readonly T[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly T[]>) {
    this.#items = this.#walk(pages);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#items.next();
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#page = [];
    return this.#items.return(undefined);
  }

  /** The next item, unless it has to be waited for. Not while a `next` is under way, whose item it would be. */
  take(): T | undefined {
    return this.#page[this.#at++];
  }

  async *#walk(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, undefined> {
    for await (const page of pages) {
      this.#page = page;
      this.#at = 0;
      for (let item = this.take(); item !== undefined; item = this.take()) yield item;
    }
  }
}
