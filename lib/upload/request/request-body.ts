import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TransferProgress } from '../../contract/index.js';
import { isReset } from '../../platform/message-state.js';
import { LONGEST_MS } from '../callback.js';
import { clientIdle, requestAborted } from '../errors/index.js';
import type { UploadUnit } from '../upload-unit.js';

/** Chunks below this are gathered, in bytes: they cost more than they carry. */
const SMALL = 256;

/** How much is gathered at most, in bytes. */
const GATHERED = 16 * 1024;

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
  /** Ends the reading when it is rolled back. */
  readonly unit: Pick<UploadUnit, 'isRolledBack' | 'onRollBack' | 'offRollBack'>;
  /** Milliseconds. */
  readonly idleTimeout: number;
  /** A promise that it gives is not waited for; its failure is one of the upload. */
  readonly onProgress: ((progress: TransferProgress) => unknown) | undefined;
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
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;

  constructor(options: RequestBodyOptions, taker: BodyTaker) {
    this.#options = options;
    this.#taker = taker;
    const length = options.request.headers['content-length'];
    this.#total = length === undefined ? undefined : Number(length);
  }

  start(): void {
    const { request, response, unit } = this.#options;
    if (request.destroyed || unit.isRolledBack) {
      this.#taker.fail(requestAborted());
      return;
    }
    request.on('error', this.#onGone).on('close', this.#onGone);
    // answered by somebody else (a timeout, say), or the connection is gone: either way nobody waits for the handler
    response.on('close', this.#onAnswered);
    unit.onRollBack(this.#onAnswered);
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
    const { request, response, unit } = this.#options;
    clearTimeout(this.#timer);
    request.off('close', this.#onGone);
    response.off('close', this.#onAnswered);
    unit.offRollBack(this.#onAnswered);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#transferred += chunk.length;
    this.#lastSign = performance.now();
    if (chunk.length < SMALL) {
      this.#gather(chunk);
      return;
    }
    this.#giveGathered();
    this.#give(chunk);
  };

  /**
   * A client may cut its body into HTTP chunks of one byte. Each is an object of hundreds of bytes, and whatever holds them, a field or a
   * file's stream, would hold hundreds of times its bound: those that come in one turn go on as one.
   */
  #gather(chunk: Buffer): void {
    if (this.#gatheredBytes + chunk.length > GATHERED) this.#giveGathered();
    this.#gathered ??= Buffer.allocUnsafe(GATHERED);
    // no microtask and no tick: Node runs those between two chunks of one read
    if (this.#gatheredBytes === 0) setImmediate(this.#giveGathered);
    this.#gatheredBytes += chunk.copy(this.#gathered, this.#gatheredBytes);
  }

  readonly #giveGathered = (): void => {
    const length = this.#gatheredBytes;
    if (length === 0 || this.#gathered === undefined) return;
    this.#gatheredBytes = 0;
    // bytes of its own: the next ones are gathered in the same place
    this.#give(Buffer.from(this.#gathered.subarray(0, length)));
  };

  #give(chunk: Buffer): void {
    if (this.#ended) return;
    const { request, onProgress } = this.#options;
    try {
      if (onProgress !== undefined) this.#report(onProgress);
      this.#taker.take(chunk);
    } catch (error) {
      this.#taker.fail(error);
    }
    if (this.#isEnded() || !this.#taker.full) return;
    this.#waiting = true;
    request.pause();
  }

  /** Asked again: what takes the bytes may have ended the reading. */
  #isEnded(): boolean {
    return this.#ended;
  }

  #report(onProgress: (progress: TransferProgress) => unknown): void {
    const transferred = this.#transferred;
    const given = onProgress(this.#total === undefined ? { transferred } : { transferred, total: this.#total });
    if (given === undefined) return;
    // an async function passes for one that gives nothing, and a rejection that nobody hears ends the process
    Promise.resolve(given).catch((error: unknown) => {
      this.#taker.fail(error);
    });
  }

  readonly #onEnd = (): void => {
    this.#giveGathered();
    if (this.#ended) return;
    if (isReset(this.#options.request)) {
      this.#taker.fail(requestAborted());
      return;
    }
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
    const left = (): number => (this.#waiting ? idleTimeout : idleTimeout - (performance.now() - this.#lastSign));
    const look = (): void => {
      if (left() > 0) this.#timer = setTimeout(look, left()).unref();
      // a process that has stood still itself comes to its timers before it reads what clients have sent meanwhile
      else setImmediate(judge);
    };
    const judge = (): void => {
      if (this.#ended) return;
      if (left() > 0) look();
      else this.#taker.fail(clientIdle(idleTimeout));
    };
    look();
  }
}
