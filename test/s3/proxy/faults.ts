import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { readAll, type Exchange } from './exchange.js';

/** What goes wrong with one request. What is thrown in it resets the connection. */
export type Fault = (exchange: Exchange) => Promise<void> | void;

/** Every fault, by its name in the tables. */
export const FAULTS = {
  /** The request never reaches the server. */
  'reset before': (exchange) => {
    exchange.reset();
  },
  /** The server gets half of the request's body. */
  'reset in the request': async (exchange) => {
    await sendHalf(exchange, () => undefined);
    exchange.reset();
  },
  /** The server did it, and the client hears most of the answer. */
  'reset in the answer': async (exchange) => {
    await answerMost(exchange, await forwardAll(exchange));
    exchange.reset();
  },
  /** The server did it, and the client hears nothing of it. */
  'lost answer': async (exchange) => {
    await readAll(await forwardAll(exchange));
    exchange.reset();
  },
  'status 500': (exchange) => answerError(exchange, 500, 'InternalError'),
  'status 503': (exchange) => answerError(exchange, 503, 'SlowDown', { 'Retry-After': '1' }),
  'status 429': (exchange) => answerError(exchange, 429, 'TooManyRequests'),
  /** The request ends at the server after half of its body, without a reset. */
  'truncated request': async (exchange) => {
    const answered = new Promise<IncomingMessage>((resolve) => {
      void sendHalf(exchange, resolve).then((onward) => onward.socket?.end());
    });
    exchange.answer(await answered);
  },
  /** The connection ends before the end of the answer, without a reset. */
  'truncated answer': async (exchange) => {
    await answerMost(exchange, await forwardAll(exchange));
    exchange.socket.end();
  },
  'corrupted request': async (exchange) => {
    const body = damaged(await readAll(exchange.request), false);
    exchange.answer(await new Promise<IncomingMessage>((resolve) => exchange.begin(resolve).end(body)));
  },
  'corrupted answer': async (exchange) => {
    const answer = await forwardAll(exchange);
    const isXml = answer.headers['content-type'] === 'application/xml';
    const body = damaged(await readAll(answer), isXml);
    exchange.head(answer);
    exchange.response.end(body);
  },
  /** The request is read, not sent on, and never answered. */
  hang: (exchange) => {
    exchange.request.resume();
  },
  /** The server did it, most of the answer comes, and then nothing more. */
  'hang in the answer': async (exchange) => {
    await answerMost(exchange, await forwardAll(exchange));
  },
  /** Bytes pass always, both ways, and not many of them. */
  slow: async (exchange) => {
    const answer = await sendSlowly(exchange);
    const body = await readAll(answer);
    exchange.head(answer);
    const piece = Math.max(1, Math.ceil(body.length / PIECES));
    for (let from = 0; from < body.length; from += piece) {
      exchange.response.write(body.subarray(from, from + piece));
      await delay(SLOW.answer / PIECES);
    }
    exchange.response.end();
  },
  /** The status is sent before the server knows whether it will succeed, as S3 does where that takes long. */
  '200 with an error': async (exchange) => {
    const body = await readAll(exchange.request);
    const [, key] = /<Key>([^<]*)<\/Key>/.exec(body.toString('latin1')) ?? [];
    const isBulk = exchange.s3.operation === 'DeleteObjects' && key !== undefined;
    const error = `<Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>`;
    const xml = isBulk
      ? `<DeleteResult><Error><Key>${key}</Key>${error}</Error></DeleteResult>`
      : `   \n<Error>${error}<RequestId>proxy</RequestId></Error>`;
    exchange.response.writeHead(200, { 'Content-Type': 'application/xml' });
    exchange.response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
  },
  redirect: (exchange) =>
    answerError(exchange, 307, 'TemporaryRedirect', { Location: `http://127.0.0.1:9${exchange.request.url ?? ''}` }),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

/**
 * About how many milliseconds a slow body takes. Of a request the client sees little: what lies in the kernel's buffers has been sent for it, and up
 * to some megabytes do. So that has to take less than the time after which it gives up; an answer takes longer.
 */
export const SLOW = { request: 800, answer: 3000 };
const PIECES = 10;

/** Sends all of the request on. */
function forwardAll(exchange: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve) => {
    exchange.forward(resolve);
  });
}

/** Sends half of the request's body on and drops the rest. */
function sendHalf(exchange: Exchange, onAnswer: (answer: IncomingMessage) => void): Promise<ClientRequest> {
  const onward = exchange.begin(onAnswer);
  let left = Math.floor(exchange.length / 2);
  return new Promise((resolve) => {
    exchange.request.on('data', (chunk: Buffer) => {
      if (left <= 0) return;
      const piece = chunk.subarray(0, left);
      left -= piece.length;
      onward.write(piece, () => {
        if (left <= 0) resolve(onward);
      });
    });
  });
}

async function sendSlowly(exchange: Exchange): Promise<IncomingMessage> {
  const { request, length } = exchange;
  let onward: ClientRequest | undefined;
  const answered = new Promise<IncomingMessage>((resolve) => {
    onward = exchange.begin(resolve);
  });
  const began = performance.now();
  let sent = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    onward?.write(chunk);
    sent += chunk.length;
    // by the clock: on a busy machine a hundred timers take much longer than they say
    const early = began + (SLOW.request * sent) / length - performance.now();
    if (early > 0) await delay(early);
  }
  onward?.end();
  return answered;
}

/** The answer's body without its last sixteenth; of an answer without a body half of its head. */
async function answerMost(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const { response, socket } = exchange;
  const body = await readAll(answer);
  await new Promise<void>((resolve) => {
    const sent = (): void => {
      resolve();
    };
    const most = Math.ceil((body.length * 15) / 16);
    if (body.length > 0) {
      exchange.head(answer);
      response.write(body.subarray(0, most), sent);
      // a single byte cannot be cut
      if (most === body.length) response.end();
    } else {
      socket.write(`HTTP/1.1 ${answer.statusCode ?? 0} ${answer.statusMessage ?? ''}\r\nx-amz-request-id: hal`, sent);
    }
  });
}

/** Answers in the server's place, which hears nothing of the request. */
async function answerError(
  { request, response }: Exchange,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  await readAll(request);
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><RequestId>proxy</RequestId></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** One byte in the middle: of XML so that it is XML no more, of anything else by one bit. */
function damaged(body: Buffer, isXml: boolean): Buffer {
  const middle = Math.floor(body.length / 2);
  const byte = body[middle];
  if (byte !== undefined) body[middle] = isXml ? '<'.charCodeAt(0) : byte ^ 1;
  return body;
}
