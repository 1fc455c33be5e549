import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { FORM_TYPE } from './form.js';

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: unknown;
}

/** A client that sends exactly the bytes it is told to, over one connection. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('end', () => {
      this.#end();
    });
    socket.on('close', () => {
      this.#end();
    });
    // what a torn connection says is what these tests make it say
    socket.on('error', () => {
      this.#end();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  #end(): void {
    this.ended = true;
    this.#wake();
  }

  /** Sends a whole request. */
  post(body: Buffer | string, headers: Readonly<Record<string, string>> = {}, path = '/upload'): void {
    this.head({ 'Content-Length': String(Buffer.byteLength(body)), ...headers }, path);
    this.socket.write(body);
  }

  head(headers: Readonly<Record<string, string>>, path = '/upload'): void {
    this.request('POST', path, { 'Content-Type': FORM_TYPE, ...headers });
  }

  /** The beginning of a request with just these headers. */
  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  /** Sends, and resolves when the socket has taken it or the connection is over. */
  async send(bytes: Buffer | string): Promise<boolean> {
    if (this.socket.destroyed || !this.socket.writable) return false;
    if (!this.socket.write(bytes)) {
      const either = new AbortController();
      const settled = { signal: either.signal };
      await Promise.race([once(this.socket, 'drain', settled), once(this.socket, 'close', settled)]);
      // the listeners of the other one
      either.abort();
    }
    return true;
  }

  /** The next answer. */
  async answer(): Promise<Answer> {
    for (;;) {
      const text = this.#received.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
        const headers = new Map(
          lines.map((line) => {
            const colon = line.indexOf(':');
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
          }),
        );
        const length = Number(headers.get('content-length') ?? 0);
        const rest = this.#received.subarray(end + 4);
        if (rest.length >= length) {
          this.#received = rest.subarray(length);
          const body = rest.subarray(0, length).toString('utf8');
          const status = Number(statusLine.split(' ')[1]);
          return { status, headers, body: body.startsWith('{') ? (JSON.parse(body) as unknown) : body };
        }
      }
      if (this.ended) throw new Error(`The connection ended after ${text.length} bytes without an answer: ${text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}
