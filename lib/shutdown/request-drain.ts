import type { Server, ServerResponse } from 'node:http';
import { ConfigurationError } from '../contract/index.js';
import { LiveList, type Listed } from '../contract/base/live-list.js';
import { StorageLogger } from '../logging/index.js';
import { cutOff } from '../platform/message-state.js';
import { resolveShutdownOptions, type ResolvedShutdownOptions } from './shutdown-options.js';
import { ServerConnections } from './server-connections.js';

/** How long what was broken off may take to be answered and removed, in milliseconds. */
const AFTERMATH_MS = 5000;

/** How long listeners have at least when the time is over, in milliseconds. */
const LAST_MS = 1000;

/** A transfer that is under way. */
interface Transfer extends Listed {
  readonly response: ServerResponse;
  /** Ends it with an answer where it can still have one. */
  readonly breakOff: () => void;
}

/**
 * The uploads and downloads of one application that are under way, and how they end with it: they may finish for a while, then they are broken
 * off. New uploads are refused from the moment on at which the application begins to close.
 */
export class RequestDrain {
  readonly #logger = new StorageLogger('StorageShutdown');
  readonly #transfers = new LiveList<Transfer>();
  readonly #alsoFor: ((milliseconds: number) => Promise<void>)[] = [];
  #options: ResolvedShutdownOptions = resolveShutdownOptions();
  #giver: object | undefined;
  #connections: ServerConnections | undefined;
  #deadline: number | undefined;
  #draining: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  /** Whether what is under way has been broken off: what begins now is given its own time. */
  #isOver = false;

  /** @throws ConfigurationError that names the setting, and where another registration has given it before */
  configure(giver: object, options: unknown): void {
    if (options === undefined || this.#giver === giver) return;
    if (this.#giver !== undefined) {
      throw new ConfigurationError(
        "'shutdown' is given in two registrations of the StorageModule: give it in one of them.",
      );
    }
    this.#giver = giver;
    this.#options = resolveShutdownOptions(options);
  }

  /** Knows the server before it has a connection. */
  watch(server: Server | undefined): void {
    if (server !== undefined && this.#connections === undefined) this.#connections = new ServerConnections(server);
  }

  /** What the end waits for beside the transfers. @param work is given how long it may take at most, in milliseconds */
  waitFor(work: (milliseconds: number) => Promise<void>): void {
    this.#alsoFor.push(work);
  }

  /** Whether new uploads are refused. */
  get isClosing(): boolean {
    return this.#deadline !== undefined;
  }

  /** How many uploads and downloads there are. */
  get underWay(): number {
    return this.#transfers.size;
  }

  /** Seconds. */
  get retryAfter(): number {
    return this.#options.retryAfter;
  }

  /** Milliseconds that there are left, and in any case a moment. */
  get left(): number {
    return Math.max(LAST_MS, (this.#deadline ?? 0) - performance.now());
  }

  /** Notes a transfer. @returns a function that notes its end */
  enter(response: ServerResponse, breakOff: () => void): () => void {
    const transfer: Transfer = { response, breakOff };
    this.#transfers.add(transfer);
    // other modules take their time to end, and the server has not closed
    const late = this.#isOver ? setTimeout(breakOff, this.left).unref() : undefined;
    return () => {
      clearTimeout(late);
      this.#transfers.delete(transfer);
      if (this.#transfers.size === 0) this.#onIdle?.();
    };
  }

  /** The application begins to close: once, whoever of it hears of it first. Resolves when nothing is under way any more. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const { timeout } = this.#options;
    this.#deadline = performance.now() + timeout;
    this.#connections?.answerLast();
    for (const { response } of this.#transfers.all()) response.shouldKeepAlive = false;
    await this.#whenIdle(timeout);
    this.#isOver = true;
    const late = this.#transfers.all();
    if (late.length > 0) {
      this.#logger.warn('Uploads or downloads have not ended within shutdown.timeout: they are broken off.', {
        fields: { transfers: late.length, timeout },
      });
      for (const { breakOff } of late) breakOff();
      await this.#whenIdle(AFTERMATH_MS);
      for (const { response } of late) cutOff(response);
    }
    await Promise.all(this.#alsoFor.map((work) => work(this.left)));
    this.#connections?.letGo();
  }

  async #whenIdle(milliseconds: number): Promise<void> {
    if (this.#transfers.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
      this.#onIdle = resolve;
    });
    clearTimeout(timer);
    this.#onIdle = undefined;
  }
}
