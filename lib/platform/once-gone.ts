import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isClosed } from './message-state.js';

/** Those who wait for a connection to close. */
interface Waiting {
  readonly listeners: Set<() => void>;
  readonly onClose: () => void;
}

/** One listener for each connection, however many requests are in its pipeline. */
const waitingFor = new WeakMap<Socket, Waiting>();

/**
 * Calls back once when a response has closed. One that waits behind another one's on its connection is never told that the connection has
 * gone (Node gives it its socket when it is its turn), so the connection is listened to as well.
 */
export function onceGone(response: ServerResponse, listener: () => void): void {
  const { socket, httpVersionMajor } = response.req;
  // streams of HTTP/2 have no turns, and the socket of inject() is none
  const isOwn = httpVersionMajor < 2 && typeof (socket as Partial<Socket>).once === 'function';
  if (isClosed(response) || (isOwn && socket.closed)) {
    listener();
    return;
  }
  const once = (): void => {
    response.off('close', once);
    if (isOwn) ignoreSocket(socket, once);
    listener();
  };
  if (isOwn) hearSocket(socket, once);
  const limit = response.getMaxListeners();
  // With those of Nest, Fastify and `inject()` a response has as many listeners as Node allows without a warning. 0 allows any number.
  if (limit > 0) response.setMaxListeners(limit + 1);
  response.once('close', once);
}

function hearSocket(socket: Socket, listener: () => void): void {
  const known = waitingFor.get(socket);
  if (known !== undefined) {
    known.listeners.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  const onClose = (): void => {
    for (const each of [...listeners]) each();
  };
  waitingFor.set(socket, { listeners, onClose });
  socket.once('close', onClose);
}

/** A connection that is used again and again keeps no listener. */
function ignoreSocket(socket: Socket, listener: () => void): void {
  const known = waitingFor.get(socket);
  if (known === undefined) return;
  known.listeners.delete(listener);
  if (known.listeners.size > 0) return;
  waitingFor.delete(socket);
  socket.off('close', known.onClose);
}
