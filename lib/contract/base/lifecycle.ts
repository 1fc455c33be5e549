import { StorageClosedError } from '../errors/index.js';
import { LiveList, type Listed } from './live-list.js';

/** Something that is still open when a storage closes: a stream that is read, bytes that are staged. */
export interface Releasable extends Listed {
  release(reason: StorageClosedError): void | Promise<void>;
}

/** Opens a storage once, counts its calls in flight, and closes it when they have settled. */
export class Lifecycle {
  readonly #open: () => Promise<void>;
  readonly #close: () => Promise<void>;
  readonly #resources = new LiveList<Releasable>();
  #opening: Promise<void> | undefined;
  #opened = false;
  #closing: Promise<void> | undefined;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(open: () => Promise<void>, close: () => Promise<void>) {
    this.#open = open;
    this.#close = close;
  }

  /** Runs a call: refused after close, opened first, counted until it settles. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.runPrepared(() => undefined, work);
  }

  /** As {@link run}, for what cannot wait until the storage is open: `prepare` runs at once, unless the call is refused. */
  async runPrepared<P, T>(prepare: () => P, work: (prepared: P) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StorageClosedError();
    const prepared = prepare();
    this.#inFlight++;
    try {
      if (!this.#opened) await this.#ready();
      return await work(prepared);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** Keeps a resource to be released at close. */
  hold(resource: Releasable): void {
    this.#resources.add(resource);
  }

  drop(resource: Releasable): void {
    this.#resources.delete(resource);
  }

  /** Whether calls are refused: close() has been called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /** Opens it now, also again after a close, which is let end first. */
  async open(): Promise<void> {
    const closing = this.#closing;
    if (closing !== undefined) {
      // whoever closed it has been told how that went
      await closing.catch(() => undefined);
      if (this.#closing === closing) {
        this.#closing = undefined;
        this.#opened = false;
        this.#idle = undefined;
      }
    }
    await this.run(() => Promise.resolve());
  }

  /** One attempt at a time; a failed one is made again by the next call. */
  async #ready(): Promise<void> {
    const attempt = (this.#opening ??= this.#open());
    try {
      await attempt;
      this.#opened = true;
    } finally {
      // others waited for this attempt too, and one of them may have begun the next
      if (this.#opening === attempt) this.#opening = undefined;
    }
  }

  async #shutDown(): Promise<void> {
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    const reason = new StorageClosedError();
    const resources = this.#resources.all();
    const released = await Promise.allSettled(resources.map(async (resource) => resource.release(reason)));
    for (const resource of resources) this.#resources.delete(resource);
    if (this.#opened) await this.#close();
    for (const result of released) {
      if (result.status === 'rejected') throw result.reason;
    }
  }
}
