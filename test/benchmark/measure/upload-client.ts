import { once } from 'node:events';
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { MultipartBody } from './multipart-body.js';

/** A server answered an upload with something else than 201. */
export class UnexpectedAnswer extends Error {
  constructor(readonly statusCode: number) {
    super(`answered ${statusCode}`);
  }
}

/** Sends prepared forms over connections that it keeps: setting them up costs every server the same. */
export class UploadClient {
  readonly #agent = new Agent({ keepAlive: true });

  constructor(
    private readonly port: number,
    private readonly path: string,
  ) {}

  async send(body: MultipartBody, requests = 1, atOnce = 1): Promise<void> {
    let left = requests;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await this.#sendOne(body);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, requests) }, lane));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #sendOne(body: MultipartBody): Promise<void> {
    const outgoing = request({
      agent: this.#agent,
      host: '127.0.0.1',
      port: this.port,
      path: this.path,
      method: 'POST',
      headers: { 'content-type': body.contentType, 'content-length': body.length },
    });
    await Promise.all([answered(outgoing), write(outgoing, body.chunks)]);
  }
}

async function write(outgoing: ClientRequest, chunks: readonly Buffer[]): Promise<void> {
  const last = chunks.length - 1;
  for (const [i, chunk] of chunks.entries()) {
    if (i === last) outgoing.end(chunk);
    else if (!outgoing.write(chunk)) await once(outgoing, 'drain');
  }
}

function answered(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject).on('response', (response: IncomingMessage) => {
      const { statusCode = 0 } = response;
      response.on('error', reject).resume();
      response.on('end', () => {
        if (statusCode === 201) resolve();
        else reject(new UnexpectedAnswer(statusCode));
      });
    });
  });
}
