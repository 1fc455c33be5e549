import type { StorageError } from '../errors/index.js';
import { closeIterator } from '../source/index.js';
import { PagedItems } from './paged-items.js';

/**
 * A listing whose every step counts as a call of the storage, but for those that have nothing to wait for. Nothing happens before the first
 * step; at the limit, at the end and on `break` the backend's own iterator is ended.
 */
export class TrackedIterable<T extends object> implements AsyncIterable<T> {
  readonly #start: () => { readonly items: AsyncIterable<T>; readonly limit: number };
  readonly #step: <R>(work: () => Promise<R>) => Promise<R>;
  readonly #mayGoOn: () => boolean;
  readonly #wrap: (error: unknown) => StorageError;

  /**
   * @param start checks the arguments and asks the backend; called at the first step
   * @param step runs one step as a call of the storage
   * @param mayGoOn whether a step would still be allowed
   * @param wrap makes a storage error of what the backend's iterator says when a reader leaves it
   */
  constructor(
    start: () => { readonly items: AsyncIterable<T>; readonly limit: number },
    step: <R>(work: () => Promise<R>) => Promise<R>,
    mayGoOn: () => boolean,
    wrap: (error: unknown) => StorageError,
  ) {
    this.#start = start;
    this.#step = step;
    this.#mayGoOn = mayGoOn;
    this.#wrap = wrap;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const start = this.#start;
    const step = this.#step;
    const mayGoOn = this.#mayGoOn;
    const wrap = this.#wrap;
    let inner: AsyncIterator<T> | undefined;
    let left = 0;
    let done = false;
    let underWay = 0;
    const ready = (): T | undefined =>
      inner instanceof PagedItems && underWay === 0 && !done && left > 0 && mayGoOn()
        ? (inner as PagedItems<T>).take()
        : undefined;
    const end = async (): Promise<IteratorResult<T, undefined>> => {
      done = true;
      await inner?.return?.();
      return { done: true, value: undefined };
    };
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      if (inner === undefined) {
        const { items, limit } = start();
        left = limit;
        inner = items[Symbol.asyncIterator]();
      }
      if (left <= 0) return end();
      left--;
      const result = await inner.next();
      if (result.done !== true) return result;
      done = true;
      return { done: true, value: undefined };
    };
    const wait = async (): Promise<IteratorResult<T, undefined>> => {
      if (done) return { done: true, value: undefined };
      underWay++;
      try {
        return await step(next);
      } catch (error) {
        done = true;
        if (inner !== undefined) await closeIterator(inner);
        throw error;
      } finally {
        underWay--;
      }
    };
    return {
      next: () => {
        const item = ready();
        if (item === undefined) return wait();
        left--;
        return Promise.resolve({ done: false, value: item });
      },
      return: async () => {
        try {
          return await end();
        } catch (error) {
          throw wrap(error);
        }
      },
    };
  }
}
