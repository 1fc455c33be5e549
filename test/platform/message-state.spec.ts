import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer, type ClientHttp2Session, type ClientHttp2Stream, type Http2Server } from 'node:http2';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../until.js';
import { cutOff, hasBody, isClosed, isReset, isSent } from '../../lib/platform/message-state.js';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** The largest window (RFC 9113, section 6.9.1). */
const MOST = 2 ** 31 - 1;

const ends: (() => void)[] = [];

interface Asked {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  /** From now on the client reads nothing from its connection. */
  readonly stall: () => void;
}

/** A server of HTTP/2, and one request that has not ended. */
async function ask(serve: Serve): Promise<Asked> {
  const server = createServer((request, response) => {
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  const portOf = (of: Server | Http2Server): number => (of.address() as AddressInfo).port;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // between them, as a session reads from its socket by itself
  const ways: Socket[] = [];
  const between = createTcpServer((near) => {
    const far = connectTcp(portOf(server), '127.0.0.1');
    ways.push(near, far);
    for (const each of [near, far]) each.on('error', () => undefined);
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
  });
  await once(between.listen(0, '127.0.0.1'), 'listening');
  // so that nothing but the connection holds an answer up
  const session = connect(`http://127.0.0.1:${portOf(between)}`, { settings: { initialWindowSize: MOST } });
  session.once('connect', () => {
    session.setLocalWindowSize(MOST);
  });
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  for (const each of [session, stream]) each.on('error', () => undefined);
  ends.push(() => {
    session.destroy();
    for (const way of ways) way.destroy();
    between.close();
    server.close();
  });
  const stall = (): void => {
    for (const way of ways) way.unpipe().pause();
  };
  return { session, stream, stall };
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
    await until('both have been told', () => told.length === 4);
    expect(told.filter(([closed]) => !closed)).toEqual([
      [false, false],
      [false, false],
    ]);
    expect(told.filter(([closed]) => closed)).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  it('an answer that is cut off lets go at once, also where the client takes nothing of it any more', async () => {
    let closed = false;
    const { stream, stall } = await ask((_request, response) => {
      response.once('close', () => {
        closed = true;
      });
      stall();
      // what does not fit into the connection stays where it is, and a reset would wait behind it
      for (let megabytes = 0; megabytes < 32; megabytes++) response.write(Buffer.alloc(1_000_000));
      setTimeout(() => {
        cutOff(response);
      }, 100);
    });
    stream.end();
    await until('it has let go', () => closed, 5000);
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
