import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { cutOff, hasBody, isClosed, isReset, isSent } from '../../lib/platform/message-state.js';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const ends: (() => void)[] = [];

/** A server of HTTP/2, and one request that has not ended. */
async function ask(serve: Serve): Promise<{ session: ClientHttp2Session; stream: ClientHttp2Stream }> {
  const server = createServer((request, response) => {
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  for (const each of [session, stream]) each.on('error', () => undefined);
  ends.push(() => {
    session.destroy();
    server.close();
  });
  return { session, stream };
}

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

describe('With HTTP/2', () => {
  it.each<[string, boolean, (stream: ClientHttp2Stream, session: ClientHttp2Session) => unknown]>([
    ['ends in order', false, (stream) => stream.end()],
    ['is reset', true, (stream) => stream.destroy()],
    ['is reset for a reason', true, (stream) => stream.destroy(new Error('a reason'))],
    [
      'goes with its session',
      true,
      (_stream, session) => {
        session.destroy();
      },
    ],
  ])('a body that %s ends, and is told to be reset: %s', async (_, reset, tear) => {
    let ended: (told: boolean) => void;
    const told = new Promise<boolean>((resolve) => (ended = resolve));
    const { session, stream } = await ask((request) => {
      request.once('data', () => tear(stream, session));
      request.once('end', () => {
        ended(isReset(request));
      });
    });
    stream.write('some of it');
    expect(await told).toBe(reset);
  });

  it('a request has a body that does not end with its head, with a length or without one', async () => {
    const told: boolean[] = [];
    const { session, stream } = await ask((request, response) => {
      told.push(hasBody(request));
      response.end();
    });
    stream.end('x');
    await once(stream.resume(), 'close');
    await once(session.request({ ':method': 'POST' }, { endStream: true }).resume(), 'close');
    expect(told).toEqual([true, false]);
  });

  it('an answer has been sent when all of it has, and not when its client has gone', async () => {
    const told: [closed: boolean, sent: boolean][] = [];
    const serve: Serve = (request, response) => {
      told.push([isClosed(response), isSent(response)]);
      response.once('close', () => told.push([isClosed(response), isSent(response)]));
      request.resume().once('data', (chunk) => {
        if (String(chunk) === 'answer') response.end('answered');
        else stream.destroy();
      });
    };
    const { session, stream } = await ask(serve);
    const answered = session.request({ ':method': 'POST' }, { endStream: false });
    answered.end('answer');
    await once(answered.resume(), 'close');
    stream.write('tear');
    while (told.length < 4) await new Promise(setImmediate);
    expect(told.filter(([closed]) => !closed)).toEqual([
      [false, false],
      [false, false],
    ]);
    expect(told.filter(([closed]) => closed)).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  it('an answer that is cut off is an error to its client', async () => {
    const { stream } = await ask((_request, response) => {
      response.write('some of it', () => {
        cutOff(response);
      });
    });
    stream.end();
    await expect(once(stream.resume(), 'close')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
  });
});
