import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FORM_TYPE } from '../../upload/form.js';

/** An answer as it came over the wire, or that there was none. */
export interface Reply {
  /** `closed`: the connection ended without an answer. */
  readonly status: number | 'closed';
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The body where it is JSON, else undefined. */
  readonly body: unknown;
}

export type Headers = Readonly<Record<string, string>>;

const EMPTY = Buffer.alloc(0);

/** The head of a request for a form. A header of the caller's replaces the usual one of that name. */
export function head(path: string, headers: Headers, method = 'POST'): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Type': FORM_TYPE, ...headers });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A whole request. */
export function request(path: string, body: Buffer | string, headers: Headers = {}): Buffer {
  const bytes = Buffer.from(body);
  // Latin-1, so that a header can have any byte
  const start = Buffer.from(head(path, { 'Content-Length': String(bytes.length), ...headers }), 'latin1');
  return Buffer.concat([start, bytes]);
}

/** A client that sends exactly the bytes it is told to, over one connection. */
export class Connection {
  readonly socket: Socket;
  /** The status codes of 1xx answers. */
  readonly interim: number[] = [];
  /** The last answer that was read. */
  last: Reply | undefined;
  /** Nothing more comes from the server. */
  ended = false;
  #received = EMPTY;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true);
    const end = (): void => {
      this.ended = true;
      this.#wakeAll();
    };
    // what a torn connection says is what these tests make it say
    socket.on('end', end).on('close', end).on('error', end);
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wakeAll();
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Resolves when the kernel has the bytes. @returns whether it took them */
  send(bytes: Buffer | string): Promise<boolean> {
    if (!this.socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      const closed = (): void => {
        resolve(false);
      };
      this.socket.once('close', closed);
      this.socket.write(bytes, (error) => {
        this.socket.off('close', closed);
        resolve(error === undefined || error === null);
      });
    });
  }

  /** Sends a request and reads its answer. */
  async post(path: string, body: Buffer | string, headers: Headers = {}): Promise<Reply> {
    void this.send(request(path, body, headers));
    return this.reply();
  }

  /** Resolves when any answer has begun to come, of 1xx too, or none will. */
  async interimOrFinal(): Promise<void> {
    while (!this.ended && this.#received.indexOf('\r\n\r\n') < 0) await this.#change();
    // a final answer stays for `reply`
    while (this.#received.toString('latin1', 0, 10).startsWith('HTTP/1.1 1'))
      this.interim.push(Number(this.#take()?.status));
  }

  /** The next answer but those of 1xx. */
  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#take();
      if (reply !== undefined && Number(reply.status) < 200) {
        this.interim.push(Number(reply.status));
        continue;
      }
      if (reply !== undefined) {
        this.last = reply;
        return reply;
      }
      if (this.ended) {
        this.last = { status: 'closed', headers: new Map(), text: this.#received.toString('latin1'), body: undefined };
        return this.last;
      }
      await this.#change();
    }
  }

  #take(): Reply | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers.get('content-length') ?? 0);
    if (this.#received.length < end + 4 + length) return undefined;
    const text = this.#received.toString('utf8', end + 4, end + 4 + length);
    this.#received = this.#received.subarray(end + 4 + length);
    return { status, headers, text, body: /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : undefined };
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    while (!this.ended) await this.#change();
  }

  /** Ends it by a FIN: nothing more will be sent. */
  end(): void {
    this.socket.end();
  }

  /** Ends it by a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
