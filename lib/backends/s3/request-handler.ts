import type { IncomingMessage } from 'node:http';
import { types } from 'node:util';
import { SlicedBody } from './sliced-body.js';

/** Milliseconds. The SDK corrects its own clock from here on, and servers forgive three times as much. */
const CLOCKS_AGREE = 5 * 60 * 1000;

interface HttpRequest {
  readonly hostname: string;
  body?: unknown;
}

interface HttpAnswer {
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly body?: unknown };
}

interface HandlerOptions {
  readonly abortSignal?: AbortSignal | undefined;
}

/** What is used of the SDK's handlers. */
export interface Handler {
  readonly metadata?: unknown;
  handle(request: HttpRequest, options?: HandlerOptions): Promise<HttpAnswer>;
  destroy?(): void;
  updateHttpClientConfig?(key: never, value: never): void;
  httpHandlerConfigs?(): object;
}

/** What one call of the storage tells its request and hears of it, beside what the SDK knows. */
export interface Exchange {
  /** The date of the last answer, by the server's clock. */
  date?: Date;
  /** Set: nothing is sent, and the call fails with a {@link NotSent} that names the host. */
  readonly onlyResolve?: true;
  /** Set: whoever reads the answer's body watches over it. */
  readonly readsBody?: true;
}

/** Thrown in place of sending. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
  readonly hostname: string;

  constructor(hostname: string) {
    super('The request was resolved and not sent.');
    this.hostname = hostname;
  }
}

/**
 * Stands before the SDK's own handler: sends the slices of a {@link SlicedBody} (anew at each attempt), ends an attempt in which nothing
 * passes for too long, and notes the server's date.
 */
export class RequestHandler implements Handler {
  readonly metadata: Handler['metadata'];
  readonly #handler: Handler;
  readonly #idle: number;
  #clockOffset = 0;

  constructor(handler: Handler, idle: number) {
    this.#handler = handler;
    this.#idle = idle;
    this.metadata = handler.metadata;
  }

  /** Milliseconds by which the server's clock was ahead of this machine's at the last answer; 0 where they agree about as well as they need to. */
  get clockOffset(): number {
    return this.#clockOffset;
  }

  async handle(
    request: HttpRequest,
    options: HandlerOptions & { readonly exchange?: Exchange } = {},
  ): Promise<HttpAnswer> {
    const { exchange } = options;
    if (exchange?.onlyResolve === true) throw new NotSent(request.hostname);
    const watch = new Watch(this.#idle, options.abortSignal);
    try {
      const answer = await this.#handler.handle(withSlices(request, watch), { ...options, abortSignal: watch.signal });
      const { headers, body } = answer.response;
      const date = Date.parse(headers['date'] ?? '');
      if (exchange !== undefined && !Number.isNaN(date)) exchange.date = new Date(date);
      // not the clock of a proxy that answers by itself, nor the date of an answer that somebody kept
      if (!Number.isNaN(date) && isOfServer(headers)) {
        const offset = date - Date.now();
        this.#clockOffset = Math.abs(offset) < CLOCKS_AGREE ? 0 : offset;
      }
      // the SDK reads the others whole, at once
      if (exchange?.readsBody === true) watch.end();
      else watch.follow(body);
      return answer;
    } catch (error) {
      watch.end();
      throw watch.error ?? ofThisRealm(error);
    }
  }

  destroy(): void {
    this.#handler.destroy?.();
  }

  updateHttpClientConfig(key: never, value: never): void {
    this.#handler.updateHttpClientConfig?.(key, value);
  }

  httpHandlerConfigs(): object {
    return this.#handler.httpHandlerConfigs?.() ?? {};
  }
}

/** The SDK repeats nothing that is no Error to it, and an error of Node's own is none where modules have a realm of their own, as in Jest. */
function ofThisRealm(error: unknown): unknown {
  if (error instanceof Error || !types.isNativeError(error)) return error;
  const { name, message, code } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(message, { cause: error }), { name }, code === undefined ? undefined : { code });
}

function withSlices(request: HttpRequest, watch: Watch): HttpRequest {
  const { body } = request as { readonly body?: unknown };
  if (!(body instanceof SlicedBody)) return request;
  const copy = Object.assign(Object.create(Object.getPrototypeOf(request) as object) as HttpRequest, request);
  copy.body = body.read(() => {
    watch.progress();
  });
  return copy;
}

/** Ends one attempt when nothing passes. */
class Watch {
  /** Why it was ended, where it was by this. */
  error: Error | undefined;
  readonly #controller = new AbortController();
  readonly #idle: number;
  readonly #outer: HandlerOptions['abortSignal'];
  readonly #onAbort = (): void => {
    this.#controller.abort();
  };
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(idle: number, outer: HandlerOptions['abortSignal']) {
    this.#idle = idle;
    this.#outer = outer;
    if (outer?.aborted === true) this.#controller.abort();
    else outer?.addEventListener('abort', this.#onAbort);
    this.progress();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progress(): void {
    if (this.#ended) return;
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        // the SDK repeats what fails under this name
        this.error = Object.assign(new Error(`Nothing passed for ${this.#idle} ms.`), { name: 'TimeoutError' });
        this.#controller.abort(this.error);
      }, this.#idle);
    } else {
      this.#timer.refresh();
    }
  }

  /** Watches over an answer that the SDK reads. */
  follow(body: unknown): void {
    if (!isMessage(body) || body.readableEnded || body.destroyed) {
      this.end();
      return;
    }
    this.#ended = true;
    clearTimeout(this.#timer);
    let seen = body.socket.bytesRead;
    const timer = setInterval(() => {
      const { bytesRead } = body.socket;
      if (bytesRead === seen) {
        body.destroy(Object.assign(new Error(`Nothing came for ${this.#idle} ms.`), { name: 'TimeoutError' }));
      }
      seen = bytesRead;
    }, this.#idle).unref();
    body.once('close', () => {
      clearInterval(timer);
      this.end();
    });
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }
}

function isMessage(body: unknown): body is IncomingMessage {
  return typeof body === 'object' && body !== null && 'socket' in body && 'readableEnded' in body;
}

/** Whether the server itself has just given an answer. */
function isOfServer(headers: Readonly<Record<string, string>>): boolean {
  return headers['age'] === undefined && Object.keys(headers).some((name) => name.startsWith('x-amz-'));
}
