import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Recorded {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly rawHeaders: readonly string[];
  /** What came of the body. */
  body: Buffer;
  /** How it ended: whole, or cut. */
  ended: Promise<'whole' | 'cut'>;
}

/** An HTTP server that records what comes, and gives every whole request the same answer. */
export class RecordingServer {
  readonly requests: Recorded[] = [];
  /** Sent with status 200. */
  answer = Buffer.from('the answer of the server');
  answerHeaders: readonly string[] = ['ETag', '"1"', 'x-amz-request-id', 'A'];
  readonly #http: Server;

  private constructor() {
    this.#http = createServer((request, response) => {
      const recorded = this.#record(request);
      void recorded.ended.then((how) => {
        if (how === 'cut') return;
        const headers = [...this.answerHeaders, 'Content-Length', String(this.answer.length)];
        response.writeHead(200, 'Fine', headers);
        response.end(request.method === 'HEAD' ? undefined : this.answer);
      });
    });
  }

  static async start(): Promise<RecordingServer> {
    const server = new RecordingServer();
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get url(): string {
    const { port } = this.#http.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  #record(request: IncomingMessage): Recorded {
    const { method, url, rawHeaders } = request;
    const ended = new Promise<'whole' | 'cut'>((resolve) => {
      request
        .on('data', (chunk: Buffer) => {
          recorded.body = Buffer.concat([recorded.body, chunk]);
        })
        .on('end', () => {
          resolve('whole');
        })
        .on('error', () => {
          resolve('cut');
        })
        .on('close', () => {
          resolve('cut');
        });
    });
    const recorded: Recorded = { method, url, rawHeaders, body: Buffer.alloc(0), ended };
    this.requests.push(recorded);
    return recorded;
  }
}
