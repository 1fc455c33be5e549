import { tracingChannel } from 'node:diagnostics_channel';
import type { StorageError, StorageOperation } from '../errors/index.js';

/**
 * The name of the `TracingChannel` of node:diagnostics_channel on which every call of every storage is told, with a {@link TracedOperation}: `start`
 * and `end` around what runs at once, `asyncEnd` when it has settled, `error` before that when it failed. Costs next to nothing while nobody listens.
 *
 * A view tells its calls, and the storage behind it its own. What a subscriber throws is an uncaught exception of its own, as with every channel.
 *
 * @example
 * subscribe(`tracing:${STORAGE_OPERATIONS}:asyncEnd`, (message) => {
 *   const { storage, operation, bytes, error } = message as TracedOperation;
 *   counter.add(1, { storage, operation, outcome: error?.code ?? 'ok' });
 * });
 */
export const STORAGE_OPERATIONS = 'nestjs-storages:operation';

const channel = tracingChannel<unknown, TracedOperation>(STORAGE_OPERATIONS);

/** Calls a function in a context of its own, and gives back what it returns. */
export type Surround = <R>(work: () => R) => R;

/** One call of a storage. The same object in all its messages. */
export class TracedOperation {
  /** The registered name of the storage. */
  readonly storage: string;
  /** A listing is one operation, from its first step to its end. */
  readonly operation: StorageOperation;
  /** As the caller gave it, where the call is about one. It may be a user's own word: think before you log it. */
  readonly key: string | undefined;
  /** What the call resolved to. Of a listing: nothing. */
  result?: unknown;
  /** What it rejected with. */
  error?: StorageError;
  /** Of a listing: how many it has given. */
  items?: number;
  #surround: Surround | undefined;

  constructor(storage: string, operation: StorageOperation, key?: string) {
    this.storage = storage;
    this.operation = operation;
    this.key = key;
  }

  /**
   * Lets what the call does run inside a function, each step of a listing too: a context of AsyncLocalStorage then reaches everything below. To be
   * called by a subscriber of `start`; a later one runs inside the earlier ones. (`channel.start.bindStore()` needs the AsyncLocalStorage
   * itself, which a library that keeps the context for its users does not show, and does not reach the steps of a listing.)
   *
   * @param surround must call what it is given, once, and return what that returns
   * @example
   * subscribe(`tracing:${STORAGE_OPERATIONS}:start`, (message) => {
   *   (message as TracedOperation).surround((work) => tenant.run('storage', work));
   * });
   */
  surround(surround: Surround): void {
    const outer = this.#surround;
    this.#surround = outer === undefined ? surround : (work) => outer(() => surround(work));
  }

  /** @internal */
  run<R>(work: () => R): R {
    return this.#surround === undefined ? work() : this.#surround(work);
  }

  /** Of a call that has succeeded: the bytes that were stored, or that there are to read. */
  get bytes(): number | undefined {
    const { result } = this;
    if (Buffer.isBuffer(result)) return result.length;
    const { size, file, range } = (result ?? {}) as {
      readonly size?: number;
      readonly file?: { readonly size: number };
      readonly range?: { readonly length: number };
    };
    return range?.length ?? size ?? file?.size;
  }
}

const { start, asyncEnd, error: failed } = channel;

/** Whether anybody listens. Asked by those who call often, so that nothing is made for it otherwise, not even the function that {@link traced} takes. */
export function isTraced(): boolean {
  return start.hasSubscribers || asyncEnd.hasSubscribers || failed.hasSubscribers;
}

/** Makes a call, and tells of it from its beginning to its end where anybody listens. */
export function traced<T>(
  storage: { readonly name: string },
  operation: StorageOperation,
  key: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!isTraced()) return work();
  const told = new TracedOperation(storage.name, operation, key);
  return channel.tracePromise(() => told.run(work), told);
}

/** Tells of a listing as one operation, from its first step to its end, where anybody listens. */
export function tracedListing<T>(
  storage: { readonly name: string },
  name: StorageOperation,
  items: AsyncIterable<T>,
): AsyncIterable<T> {
  if (!isTraced()) return items;
  return {
    async *[Symbol.asyncIterator]() {
      const operation = new TracedOperation(storage.name, name);
      channel.start.publish(operation);
      channel.end.publish(operation);
      operation.items = 0;
      try {
        for await (const item of stepsInside(operation, items)) {
          operation.items++;
          yield item;
        }
      } catch (error) {
        operation.error = error as StorageError;
        channel.error.publish(operation);
        throw error;
      } finally {
        channel.asyncStart.publish(operation);
        channel.asyncEnd.publish(operation);
      }
    },
  };
}

function stepsInside<T>(operation: TracedOperation, items: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = operation.run(() => items[Symbol.asyncIterator]());
      return {
        next: () => operation.run(() => iterator.next()),
        return: () => operation.run(() => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined })),
      };
    },
  };
}
