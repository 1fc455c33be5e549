import { request as sendRequest, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { S3Request } from './operations.js';

/** One request on its way to the server, and its answer on the way back. */
export class Exchange {
  readonly s3: S3Request;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Of the client. */
  readonly socket: Socket;
  readonly #server: URL;
  #onward: ClientRequest | undefined;

  constructor(server: URL, s3: S3Request, request: IncomingMessage, response: ServerResponse) {
    this.#server = server;
    this.s3 = s3;
    this.request = request;
    this.response = response;
    this.socket = request.socket;
    response.sendDate = false;
    request.on('error', () => undefined);
    // a client that has gone leaves nothing under way at the server
    response.on('error', () => undefined).on('close', () => this.#onward?.destroy());
  }

  /** Bytes of the request's body. */
  get length(): number {
    return Number(this.request.headers['content-length'] ?? 0);
  }

  /** Sends the head of the request on, as it came; the body is the caller's to write. */
  begin(onAnswer: (answer: IncomingMessage) => void): ClientRequest {
    const { method, url: path, rawHeaders: headers } = this.request;
    const { hostname: host, port } = this.#server;
    // the headers are signed, Host among them: none is added or changed
    const onward = sendRequest({ host, port, method, path, headers, setHost: false, agent: false });
    onward.on('response', onAnswer);
    onward.on('continue', () => {
      this.response.writeContinue();
    });
    onward.on('error', () => {
      // what befalls the one connection befalls the other
      if (!this.response.writableFinished) this.reset();
    });
    this.#onward = onward;
    return onward;
  }

  /** Sends the request on as it comes. */
  forward(onAnswer: (answer: IncomingMessage) => void): void {
    this.request.pipe(this.begin(onAnswer));
  }

  /** Gives the client the server's answer as it comes. */
  answer(answer: IncomingMessage): void {
    this.head(answer);
    answer
      .on('error', () => {
        this.reset();
      })
      .pipe(this.response);
  }

  head(answer: IncomingMessage): void {
    this.response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
  }

  /** The client hears that the connection was reset. */
  reset(): void {
    this.socket.resetAndDestroy();
    this.#onward?.destroy();
  }
}

/** Reads a request or an answer to its end. */
export async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
