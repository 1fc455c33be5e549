import type { IncomingMessage, ServerResponse } from 'node:http';
import { stopSending } from '../../platform/message-state.js';

/** How much of a refused body is read before it is answered, in bytes. A client that has no more to send keeps its connection. */
const DRAIN_BYTES = 1024 * 1024;

/** How long the rest of a refused body may take to come before it is answered, in milliseconds. */
const DRAIN_MS = 500;

/** How long a client that goes on sending may take to read the answer before the connection is cut, in milliseconds. */
const LINGER_MS = 5000;

/** The same where the server is closing, which waits for the connection. */
const LINGER_AT_END_MS = 1000;

/**
 * Brings a request that was refused while its body was coming into a state in which it can be answered: reads on, up to 1 MiB or half
 * a second, so that a client that sends first and reads afterwards finds its answer and keeps its connection. If more is coming, it is
 * abandoned.
 *
 * @param closing the server waits for the connection
 */
export async function settleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  closing = false,
): Promise<void> {
  if (isOver(request)) return;
  // whatever happens to the connection now has no one left to tell
  request.on('error', () => undefined);
  await drain(request);
  abandonRequest(request, response, closing);
}

/**
 * Ends the connection of a request whose body is still coming, with its answer: that announces it (RFC 9112, section 9.6), and the body
 * goes on being read and thrown away for some seconds after it. Closing at once would reset the connection, and the client might
 * lose the answer. Where an answer is out that announces nothing, the client has these seconds to end its body.
 */
export function abandonRequest(request: IncomingMessage, response: ServerResponse, closing = false): void {
  const linger = closing ? LINGER_AT_END_MS : LINGER_MS;
  if (isOver(request)) return;
  request.on('error', () => undefined).resume();
  if (request.httpVersionMajor >= 2) {
    stopSending(response, linger);
    return;
  }
  if (response.headersSent) {
    cutUnless(request, 'end', linger);
  } else {
    response.setHeader('Connection', 'close');
    lingerAfterAnswer(request, linger);
  }
}

function isOver(request: IncomingMessage): boolean {
  return request.readableEnded || request.destroyed;
}

/** Reads and throws away, until the end or the bounds. Goes on doing so after it has resolved. */
function drain(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let left = DRAIN_BYTES;
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) settle();
    };
    let over: NodeJS.Immediate | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearImmediate(over);
      request.off('data', count).off('end', settle).off('close', settle);
      request.resume();
      resolve();
    };
    const timer = setTimeout(() => {
      // a process that has stood still itself comes to its timers before it reads what the client has sent meanwhile
      over = setImmediate(settle);
    }, DRAIN_MS);
    request.on('data', count).on('end', settle).on('close', settle).resume();
  });
}

/**
 * Node ends the connection of an answer that announced it by `destroySoon()` of the socket, which resets it while the client is sending.
 * This one half-closes it, and cuts it when the client has had its time. (nginx calls it a lingering close.)
 */
function lingerAfterAnswer(request: IncomingMessage, linger: number): void {
  const { socket } = request;
  socket.destroySoon = () => {
    socket.end();
    cutUnless(request, 'close', linger);
  };
}

/** Cuts a connection after a while, unless its socket closes (or the request's body ends) before. */
function cutUnless(request: IncomingMessage, event: 'end' | 'close', linger: number): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), linger);
  const keep = (): void => {
    clearTimeout(timer);
    // a connection that stays has more requests to come
    socket.off('close', keep);
    request.off('end', keep);
  };
  socket.once('close', keep);
  if (event === 'end') request.once('end', keep);
}
