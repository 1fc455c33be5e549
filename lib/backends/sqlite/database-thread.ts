import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ConnectionError, type StorageError } from '../../contract/index.js';
import { departedInstances } from './departed.js';
import type { CallName, Calls, Reply, Request, ThreadMessage, ThreadSettings } from './protocol.js';
import { systemErrorOf } from './storage-errors.js';
import { workerProgram } from './worker-program.js';

interface Pending {
  resolve(output: unknown): void;
  reject(error: unknown): void;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

/** What the storage wants to hear of its threads. */
export interface ThreadListener {
  /** No reader of the storage began before this epoch; `undefined` before anything was read. */
  safeEpoch(): number | undefined;
  /** Bytes were given up, or a thread has opened: the epoch that is current. */
  onEpoch(epoch: number): void;
  failureOf(failure: NonNullable<Reply['failure']>): unknown;
}

/** A call that a thread's end has cut off. */
export class ThreadEnded extends ConnectionError {
  constructor(cause: unknown) {
    super(
      'The thread of the database ended in the middle of the call; whether it took effect is not known. The next call starts it again.',
      { cause },
    );
  }
}

/** How the system says that there are no descriptors left. */
const SHORTAGE = /\bE[MN]FILE\b/;

/** Descriptors that the loop of a thread takes, and some. */
const DESCRIPTORS = 8;

/** Before a thread is made: Node never closes one of the descriptors of a thread that finds too few for its loop, so that each attempt would cost one. */
function expectDescriptors(): void {
  const taken: number[] = [];
  try {
    while (taken.length < DESCRIPTORS) taken.push(openSync(devNull, 'r'));
  } catch (error) {
    // whatever else keeps this process from that file does not keep a thread from its own
    if (SHORTAGE.test(String(error))) throw notStarted(error);
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}

/** A thread that did not come to open the database. */
function notStarted(cause: unknown): StorageError {
  const errno = SHORTAGE.exec(String(cause))?.[0] ?? '';
  return (
    systemErrorOf(errno, '', cause) ??
    new ConnectionError('The thread of the database could not be started; its own error is the cause.', { cause })
  );
}

/**
 * One thread with one connection to the database. Requests of one turn go over in one message, and so do the answers. It keeps the
 * process alive only while somebody waits for it; when it dies the next call starts it again.
 */
export class DatabaseThread {
  readonly #settings: ThreadSettings;
  readonly #listener: ThreadListener;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #outbox: Request[] = [];
  #transfers: ArrayBuffer[] = [];
  #flushing = false;
  #worker: Worker | undefined;
  #opening: Promise<void> | undefined;
  #isOpen = false;

  constructor(settings: ThreadSettings, listener: ThreadListener) {
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Starts the thread, unless it runs. */
  async open(): Promise<void> {
    if (this.#isOpen) return;
    this.#opening ??= this.#start().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  /** @param transfers memory that the thread gets instead of a copy */
  call<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    transfers: readonly ArrayBuffer[] = [],
    onProgress?: (done: number, total: number) => void,
  ): Promise<Calls[Name]['output']> {
    if (this.#isOpen) return this.#request(name, input, transfers, onProgress);
    return this.open().then(() => this.#request(name, input, transfers, onProgress));
  }

  /** Closes the connection and ends the thread. @returns `false` where it had died */
  async close(): Promise<boolean> {
    await this.#opening?.catch(() => undefined);
    const worker = this.#worker;
    if (worker === undefined) return false;
    try {
      await this.#request('close', undefined, [], undefined);
      return true;
    } finally {
      this.#forget(worker);
      await worker.terminate();
    }
  }

  /** Ends the thread as a crash would. */
  async kill(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #start(): Promise<void> {
    expectDescriptors();
    const worker = new Worker(workerProgram(), { workerData: this.#settings, name: 'nestjs-storages/sqlite' });
    this.#worker = worker;
    worker.unref();
    let failure: unknown;
    worker
      .on('message', (message: ThreadMessage) => {
        this.#receive(message);
      })
      .on('messageerror', (error) => {
        failure = error;
        void worker.terminate();
      })
      .on('error', (error) => {
        failure = error;
      })
      .on('exit', (code) => {
        this.#ended(worker, failure ?? new Error(`The thread ended with code ${code}.`));
      });
    try {
      const input = { safe: this.#listener.safeEpoch(), departed: departedInstances() };
      const { epoch } = await this.#request('open', input, [], undefined);
      this.#listener.onEpoch(epoch);
      this.#isOpen = true;
    } catch (error) {
      this.#forget(worker);
      await worker.terminate();
      throw error;
    }
  }

  #request<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    transfers: readonly ArrayBuffer[],
    onProgress: ((done: number, total: number) => void) | undefined,
  ): Promise<Calls[Name]['output']> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#worker?.ref();
      const id = ++this.#lastId;
      // the two sides are of one version, and the answer to a call is the output of that call
      this.#pending.set(id, { resolve, reject, onProgress });
      this.#outbox.push({ id, name, input } as Request);
      for (const memory of transfers) this.#transfers.push(memory);
      if (this.#flushing) return;
      this.#flushing = true;
      // after the promises of this turn: whoever they wake may have requests of their own
      process.nextTick(() => {
        this.#flush();
      });
    });
  }

  #flush(): void {
    const [outbox, transfers] = [this.#outbox, this.#transfers];
    this.#outbox = [];
    this.#transfers = [];
    this.#flushing = false;
    if (this.#worker === undefined) {
      for (const { id } of outbox) this.#settle(id)?.reject(new ThreadEnded(undefined));
      return;
    }
    this.#worker.postMessage(outbox, transfers);
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === 'progress') {
      this.#pending.get(message.id)?.onProgress?.(message.done, message.total);
      return;
    }
    if (message.epoch !== undefined) this.#listener.onEpoch(message.epoch);
    for (const { id, output, failure } of message.replies) {
      const pending = this.#settle(id);
      if (failure === undefined) pending?.resolve(output);
      else pending?.reject(this.#listener.failureOf(failure));
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
    return pending;
  }

  #ended(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    const error = this.#isOpen ? new ThreadEnded(cause) : notStarted(cause);
    this.#forget(worker);
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }

  #forget(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#isOpen = false;
  }
}
