import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Exchange } from './exchange.js';
import type { Fault } from './faults.js';
import { readRequest, type Operation, type S3Request } from './operations.js';

/** Milliseconds between two looks at what is open. */
const TURN = 5;

/** Which requests a fault is for. */
export interface Trigger {
  readonly operation: Operation;
  /** The first of them that it befalls, from 1 on. Default 1. */
  readonly nth?: number;
  /** How many of them in a row. Default 1. */
  readonly times?: number;
  /** Only those whose query says this. `undefined`: whatever the query says there. */
  readonly query?: Readonly<Record<string, string | undefined>>;
}

interface Armed {
  readonly trigger: Trigger;
  readonly fault: Fault;
  seen: number;
  struck: number;
}

/**
 * Stands between a client and an S3 server. Everything passes as it is, signatures included, but the requests that a fault is armed for.
 */
export class FaultProxy {
  readonly #http: Server;
  readonly #server: URL;
  readonly #sockets = new Set<Socket>();
  readonly #calls = new Map<Operation, number>();
  #armed: Armed | undefined;
  #underWay = 0;

  private constructor(server: URL) {
    this.#server = server;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      this.#pass(request, response);
    };
    // nothing of its own but the faults: no time limit, and no answer to `Expect` but the server's
    this.#http = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, onRequest);
    this.#http.on('checkContinue', onRequest).on('clientError', (_error, socket) => socket.destroy());
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param server the URL of the server to stand before */
  static async start(server: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(server));
    proxy.#http.listen(0, '127.0.0.1');
    await once(proxy.#http, 'listening');
    return proxy;
  }

  get url(): string {
    const { port } = this.#http.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Arms one fault, in the place of any other. */
  arm(trigger: Trigger, fault: Fault): void {
    this.#armed = { trigger, fault, seen: 0, struck: 0 };
  }

  /** Nothing goes wrong any more. */
  disarm(): void {
    this.#armed = undefined;
  }

  /** How often the fault has struck. */
  get struck(): number {
    return this.#armed?.struck ?? 0;
  }

  /** How many requests of the kind that the fault is for have come since it was armed, those included that it befell. */
  get seen(): number {
    return this.#armed?.seen ?? 0;
  }

  /** Requests of an operation that have come. */
  calls(operation: Operation): number {
    return this.#calls.get(operation) ?? 0;
  }

  /** Connections that a client holds open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Requests that have no answer yet, on a connection that still stands. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Waits until no request is under way, and as long as that at most. @returns how many still are */
  async settled(milliseconds: number): Promise<number> {
    await this.#until(() => this.#underWay === 0, milliseconds);
    return this.#underWay;
  }

  /** Waits until no connection is open, and as long as that at most. @returns how many still are */
  async closed(milliseconds: number): Promise<number> {
    await this.#until(() => this.#sockets.size === 0, milliseconds);
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#http.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const s3 = readRequest(request);
    this.#calls.set(s3.operation, this.calls(s3.operation) + 1);
    this.#underWay++;
    response.once('close', () => {
      this.#underWay--;
    });
    const exchange = new Exchange(this.#server, s3, request, response);
    const fault = this.#faultFor(s3);
    if (fault === undefined) {
      exchange.forward((answer) => {
        exchange.answer(answer);
      });
      return;
    }
    // a client that goes away in the middle of a fault ends it
    Promise.resolve(fault(exchange)).catch(() => {
      exchange.reset();
    });
  }

  #faultFor({ operation, query }: S3Request): Fault | undefined {
    const armed = this.#armed;
    if (armed?.trigger.operation !== operation) return undefined;
    const { nth = 1, times = 1, query: expected = {} } = armed.trigger;
    const isMeant = Object.entries(expected).every(
      ([name, value]) => query.has(name) && (value === undefined || query.get(name) === value),
    );
    if (!isMeant) return undefined;
    armed.seen++;
    if (armed.seen < nth || armed.seen >= nth + times) return undefined;
    armed.struck++;
    return armed.fault;
  }

  /** By turns of the event loop, each of some milliseconds: while the process stands still nothing can close, and no time passes. */
  async #until(condition: () => boolean, milliseconds: number): Promise<void> {
    for (let left = milliseconds; !condition() && left > 0; left -= TURN) await delay(TURN);
  }
}
