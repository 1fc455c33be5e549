import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** How often connections that have become idle are looked for while the server closes, in milliseconds. */
const SWEEP_MS = 50;

/** How long a client may take for the head of a request that it has begun to send when the server closes, in milliseconds. */
const HEAD_MS = 1000;

/**
 * The connections of a server that is to close: `server.close()` waits for all of them, and a client that keeps one open need never let it go.
 * Node itself ends those that are idle at that moment, and neither those that become so later, nor those that have sent nothing or half a head.
 */
export class ServerConnections {
  readonly #server: Server;
  /** Each with the answer to its last request, behind which nothing else is in its pipeline. */
  readonly #open = new Map<Socket, ServerResponse | undefined>();
  #ending = false;

  constructor(server: Server) {
    this.#server = server;
    // a server of HTTP/2 has sessions, not sockets
    if (!('closeIdleConnections' in server)) return;
    server.prependListener(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#open.set(socket, undefined);
      socket.once('close', () => this.#open.delete(socket));
    });
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      if (this.#open.has(socket)) this.#open.set(socket, response);
      if (this.#ending) response.shouldKeepAlive = false;
    });
  }

  /** From now on every answer is the last one on its connection, and says so. */
  answerLast(): void {
    this.#ending = true;
  }

  /** Ends what is idle, now and whenever it becomes so, until the server has closed. */
  letGo(): void {
    // its closing would never be told
    if (!this.#server.listening) return;
    // a server of HTTP/2 has no such method
    const server = this.#server as Partial<Pick<Server, 'closeIdleConnections'>> & Pick<Server, 'listening'>;
    let closed: number | undefined;
    const sweep = (): void => {
      server.closeIdleConnections?.();
      // until then a connection that has just been made may still bring a request, which is answered
      if (server.listening) return;
      closed ??= performance.now();
      const isOver = performance.now() - closed > HEAD_MS;
      for (const [socket, last] of this.#open) {
        // browsers connect in advance; TLS has sent bytes of its own by then
        const isBusy = last !== undefined && !last.closed;
        if (!isBusy && (isOver || socket.bytesRead === 0)) socket.destroy();
      }
    };
    const sweeping = setInterval(sweep, SWEEP_MS).unref();
    this.#server.once('close', () => {
      clearInterval(sweeping);
    });
    sweep();
  }
}
