import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TransferProgress } from '../../contract/index.js';
import { clientIdle, requestAborted } from '../errors/index.js';

/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** Who takes the bytes of a request's body. */
export interface BodyTaker {
  take(chunk: Buffer): void;
  /** The body has ended as its framing says. */
  end(): void;
  /** The client is gone, sends nothing, or somebody else has answered it. */
  fail(error: unknown): void;
  /** Whether the client should wait. Asked after each chunk. */
  readonly full: boolean;
}

export interface RequestBodyOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Ends the reading when it fires. */
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly idleTimeout: number;
  readonly onProgress: ((progress: TransferProgress) => void) | undefined;
}

/** Reads the body of a request straight from its socket, no faster than it is taken, and hears of everything that ends it. */
export class RequestBody {
  readonly #options: RequestBodyOptions;
  readonly #taker: BodyTaker;
  readonly #total: number | undefined;
  #transferred = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastSign = 0;
  #waiting = false;
  #ended = false;

  constructor(options: RequestBodyOptions, taker: BodyTaker) {
    this.#options = options;
    this.#taker = taker;
    const length = options.request.headers['content-length'];
    this.#total = length === undefined ? undefined : Number(length);
  }

  start(): void {
    const { request, response, signal } = this.#options;
    if (request.destroyed || signal.aborted) {
      this.#taker.fail(requestAborted());
      return;
    }
    request.on('error', this.#onGone).on('close', this.#onGone);
    // answered by somebody else (a timeout, say), or the connection is gone: either way nobody waits for the handler
    response.on('close', this.#onAnswered);
    signal.addEventListener('abort', this.#onAnswered);
    this.#watch();
    request.on('data', this.#onData).on('end', this.#onEnd);
    // a guard may have paused it
    request.resume();
  }

  /** Lets the client go on, if the taker has room. */
  readonly resume = (): void => {
    if (!this.#waiting || this.#ended || this.#taker.full) return;
    this.#waiting = false;
    this.#lastSign = performance.now();
    this.#options.request.resume();
  };

  /** Reads no more. What fails from now on has nobody left to tell, and must not end the process: the request keeps an error listener. */
  stop(): void {
    const { request } = this.#options;
    this.#ended = true;
    request.off('data', this.#onData).off('end', this.#onEnd);
    if (!request.readableEnded) request.pause();
    this.#release();
  }

  /** The body was taken, and all that was to be made of it. */
  done(): void {
    this.#options.request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onGone);
    this.#release();
  }

  #release(): void {
    const { request, response, signal } = this.#options;
    clearTimeout(this.#timer);
    request.off('close', this.#onGone);
    response.off('close', this.#onAnswered);
    signal.removeEventListener('abort', this.#onAnswered);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#transferred += chunk.length;
    this.#lastSign = performance.now();
    const { request, onProgress } = this.#options;
    try {
      if (onProgress !== undefined) this.#report(onProgress);
      this.#taker.take(chunk);
    } catch (error) {
      this.#taker.fail(error);
    }
    if (this.#ended || !this.#taker.full) return;
    this.#waiting = true;
    request.pause();
  };

  #report(onProgress: (progress: TransferProgress) => void): void {
    const transferred = this.#transferred;
    onProgress(this.#total === undefined ? { transferred } : { transferred, total: this.#total });
  }

  readonly #onEnd = (): void => {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#taker.end();
  };

  readonly #onGone = (error?: Error): void => {
    // every request closes after its end
    if (!this.#options.request.readableEnded) this.#taker.fail(requestAborted(error));
  };

  readonly #onAnswered = (): void => {
    this.#taker.fail(requestAborted());
  };

  /** One timer for the whole body, which looks now and then whether something has come: to set one for each chunk costs more. */
  #watch(): void {
    const { idleTimeout } = this.#options;
    if (idleTimeout > LONGEST_MS) return;
    this.#lastSign = performance.now();
    const look = (): void => {
      const left = this.#waiting ? idleTimeout : idleTimeout - (performance.now() - this.#lastSign);
      if (left <= 0) this.#taker.fail(clientIdle(idleTimeout));
      else this.#timer = setTimeout(look, left).unref();
    };
    look();
  }
}
