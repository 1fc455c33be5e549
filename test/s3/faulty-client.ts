import type { IncomingMessage } from 'node:http';
import { PassThrough, Readable, Transform } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import type { Connection } from './server/s3-server.js';

/** What happens to one request on its way. */
export type Fault =
  /** It arrives and is carried out, and its answer does not come. */
  | { readonly kind: 'lost answer' }
  /** It arrives and is carried out, and its answer comes later. */
  | { readonly kind: 'late answer'; readonly wait: () => Promise<unknown> }
  /** It arrives and is carried out, and its answer has another body. */
  | { readonly kind: 'other answer'; readonly body: string }
  /** The server answers with a status, without carrying it out. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  /** The body of the answer breaks off after so many bytes. */
  | { readonly kind: 'broken body'; readonly after: number; readonly onBroken?: () => void }
  /** The first byte of the answer is another one, and the headers say more. */
  | { readonly kind: 'damage'; readonly headers: Readonly<Record<string, string>> }
  /** The first byte of the request's body is another one. */
  | { readonly kind: 'damage request' }
  /** Something else happens first. */
  | { readonly kind: 'after'; readonly wait: () => Promise<unknown> };

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | null>>;
  readonly headers: Readonly<Record<string, string>>;
  body?: unknown;
}

interface Answer {
  readonly response: { readonly statusCode: number; readonly headers: Record<string, string>; body: unknown };
}

/** What is used of the SDK's handler. */
interface Handler {
  readonly metadata: unknown;
  handle(request: Request, options: object): Promise<Answer>;
  destroy(): void;
}

/** A client whose requests can be counted and spoilt. The server behind it is a real one. */
export class FaultyClient {
  readonly client: S3Client;
  /** Every attempt that was made: `PutObject key`, `UploadPart key 2`. */
  readonly requests: string[] = [];
  /** Called for each attempt. */
  onRequest: (request: string) => void = () => undefined;
  /** Asked for each attempt. */
  plan: (request: string, number: number) => Fault | undefined = () => undefined;

  constructor(connection: Connection, config: { readonly maxAttempts?: number } = {}) {
    const inner = new S3Client(connection).config.requestHandler as unknown as Handler;
    const requestHandler = {
      metadata: inner.metadata,
      destroy: () => {
        inner.destroy();
      },
      handle: (request: Request, options: object) => this.#handle(request, () => inner.handle(request, options)),
    };
    this.client = new S3Client({
      ...connection,
      ...config,
      requestHandler: requestHandler,
    });
  }

  /** How often requests of a kind were made. */
  count(kind: string): number {
    return this.requests.filter((request) => request.startsWith(kind)).length;
  }

  async #handle(request: Request, send: () => Promise<Answer>): Promise<Answer> {
    const name = nameOf(request);
    this.requests.push(name);
    this.onRequest(name);
    const fault = this.plan(name, this.count(name));
    switch (fault?.kind) {
      case undefined:
        return send();
      case 'lost answer':
        drop((await send()).response.body as IncomingMessage);
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      case 'late answer': {
        const answer = await send();
        await fault.wait();
        return answer;
      }
      case 'other answer': {
        const { response } = await send();
        drop(response.body as IncomingMessage);
        return { response: { ...response, body: new PassThrough().end(fault.body) } };
      }
      case 'status':
        return {
          response: {
            statusCode: fault.status,
            headers: { ...fault.headers },
            body: new PassThrough().end(fault.body),
          },
        };
      case 'broken body':
        return broken(await send(), fault);
      case 'damage':
        return damaged(await send(), fault.headers);
      case 'damage request':
        request.body = request.body instanceof Readable ? request.body.pipe(firstByteChanged()) : request.body;
        return send();
      case 'after':
        await fault.wait();
        return send();
    }
  }
}

function drop(body: IncomingMessage): void {
  body.on('error', () => undefined).destroy();
}

function broken(answer: Answer, { after, onBroken }: Fault & { kind: 'broken body' }): Answer {
  const body = answer.response.body as IncomingMessage;
  const cut = new PassThrough();
  let passed = 0;
  body.on('data', (chunk: Buffer) => {
    if (passed >= after) return;
    cut.write(chunk.subarray(0, after - passed));
    passed += chunk.length;
    if (passed < after) return;
    body.destroy();
    if (onBroken !== undefined) cut.once('close', onBroken);
    cut.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  });
  body.on('error', () => undefined);
  answer.response.body = cut;
  return answer;
}

function damaged(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  Object.assign(answer.response.headers, headers);
  const body = answer.response.body as IncomingMessage;
  answer.response.body = body.pipe(firstByteChanged());
  return answer;
}

function firstByteChanged(): Transform {
  let isFirst = true;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      const copy = Buffer.from(chunk);
      if (isFirst) copy[0] = (copy[0] ?? 0) ^ 1;
      isFirst = false;
      callback(null, copy);
    },
  });
}

function nameOf({ method, path, query, headers }: Request): string {
  const has = (name: string): boolean => name in query;
  const key = decodeURIComponent(path.split('/').slice(2).join('/'));
  if (key === '')
    return has('uploads')
      ? ['ListMultipartUploads', query['encoding-type'], query['key-marker']].filter(Boolean).join(' ')
      : has('delete')
        ? 'DeleteObjects'
        : method === 'HEAD'
          ? 'HeadBucket'
          : 'ListObjects';
  const part = query['partNumber'];
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  if (typeof part === 'string') return `${isCopy ? 'UploadPartCopy' : 'UploadPart'} ${key} ${part}`;
  if (has('uploads')) return `CreateMultipartUpload ${key}`;
  if (has('uploadId')) {
    const name = { POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload', GET: 'ListParts' }[method];
    return `${name ?? method} ${key}`;
  }
  const name = {
    PUT: isCopy ? 'CopyObject' : 'PutObject',
    GET: 'GetObject',
    HEAD: 'HeadObject',
    DELETE: 'DeleteObject',
  }[method];
  return `${name ?? method} ${key}`;
}
