import { once } from 'node:events';
import { connect, constants, type ClientHttp2Stream, type IncomingHttpHeaders, type Settings } from 'node:http2';
import { Agent, request } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';

/** For these tests alone: it is public, and vouches for nothing. */
export const CERTIFICATE = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgg5TzY5pS/xUxlYW4
oiO4T/StEenVzAD/o5EPvJcBu+OhRANCAARFh1RpYwv3wmOs2NNQS5WzYV5fvAqF
vTeXV+rItVGcehLrowETmNL9O4zAcTee6Ty3RkYbE2147sjaHDzUN5yR
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUIDwxMmNi2NQz7Kl75k4mHrKZkV8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDE0NTg1NFoYDzIxMjYxMTA2
MTQ1ODU0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARFh1RpYwv3wmOs2NNQS5WzYV5fvAqFvTeXV+rItVGcehLrowETmNL9
O4zAcTee6Ty3RkYbE2147sjaHDzUN5yRo28wbTAdBgNVHQ4EFgQUyuuLXclcxMbz
dO1cAckFvsKJM+swHwYDVR0jBBgwFoAUyuuLXclcxMbzdO1cAckFvsKJM+swDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAJxbLbOfGbyO4Us3QdfmzG0iNEJjn0uy2bqJzQCSn8ubAiAX
caVYXrhDa/1wZz+jCWpMzxIe8DpMQmm+4YdVK5iC+g==
-----END CERTIFICATE-----`,
};

export interface SecureAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A request under way. */
export interface Exchange {
  readonly body: Writable;
  /** The head of the answer, which may come before the request has ended. */
  answer(): Promise<SecureAnswer>;
  /** As a client that goes away: the connection is cut, or with HTTP/2 the stream reset. */
  tear(reason?: Error): void;
  /** Whether it has ended, however. */
  readonly isOver: boolean;
}

/** One connection of a client. */
export interface SecureClient {
  begin(method: string, path: string, headers?: Readonly<Record<string, string>>): Exchange;
  /** Resolves when the server has ended the connection. */
  readonly closed: Promise<unknown>;
  destroy(): void;
}

export type Transport = 'HTTPS' | 'HTTP/2';

/** @param settings of a session of HTTP/2 */
export function connectBy(transport: Transport, port: number, settings?: Settings): Promise<SecureClient> {
  return transport === 'HTTPS' ? connectHttps(port) : connectHttp2(port, settings);
}

async function connectHttps(port: number): Promise<SecureClient> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: CERTIFICATE.cert });
  const at = { host: 'localhost', port, agent };
  const first = request({ ...at, path: '/nothing' }).end();
  const [answer] = (await once(first, 'response')) as [IncomingMessage];
  const socket = answer.socket;
  // also by a reset, which a server that has given a client up may send: an error that this is not about
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await textOf(answer);
  return {
    begin: (method, path, headers) => new HttpsExchange(request({ ...at, method, path, headers: { ...headers } })),
    closed,
    destroy: () => {
      agent.destroy();
      socket.destroy();
    },
  };
}

class HttpsExchange implements Exchange {
  readonly #answered: Promise<[IncomingMessage]>;

  constructor(readonly body: ClientRequest) {
    this.#answered = once(body, 'response') as Promise<[IncomingMessage]>;
    this.#answered.catch(() => undefined);
    // what a torn connection says is what these tests make it say
    body.on('error', () => undefined);
  }

  async answer(): Promise<SecureAnswer> {
    const [answer] = await this.#answered;
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: answer };
  }

  get isOver(): boolean {
    return this.body.destroyed;
  }

  tear(): void {
    this.body.destroy();
  }
}

async function connectHttp2(port: number, settings: Settings = {}): Promise<SecureClient> {
  const session = connect(`https://localhost:${port}`, { ca: CERTIFICATE.cert, settings });
  const closed = new Promise((resolve) => session.once('close', resolve));
  session.on('error', () => undefined);
  await once(session, 'connect');
  return {
    begin: (method, path, headers) =>
      new Http2Exchange(session.request({ ':method': method, ':path': path, ...headers }, { endStream: false })),
    closed,
    destroy: () => {
      session.destroy();
    },
  };
}

class Http2Exchange implements Exchange {
  readonly #answered: Promise<[IncomingHttpHeaders]>;

  constructor(readonly body: ClientHttp2Stream) {
    this.#answered = once(body, 'response') as Promise<[IncomingHttpHeaders]>;
    this.#answered.catch(() => undefined);
    body.on('error', () => undefined);
  }

  async answer(): Promise<SecureAnswer> {
    const [headers] = await this.#answered;
    return { status: Number(headers[':status']), headers, body: this.body };
  }

  /** Not its event, for which all of the answer has to be read. */
  get isOver(): boolean {
    return this.body.closed;
  }

  /** Not by `close()`, which ends the body in order first. */
  tear(reason?: Error): void {
    this.body.destroy(reason);
  }
}

/** @throws where it does not come to its end */
export async function textOf(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String(chunk);
  // one that the server has reset ends first, and has its error then
  if (isHttp2(body)) {
    if (!body.closed) await once(body, 'close');
    if (body.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error(`The stream was reset: ${body.rstCode}.`);
  }
  return text;
}

function isHttp2(body: Readable): body is ClientHttp2Stream {
  return 'rstCode' in body;
}
