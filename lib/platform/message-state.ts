import { constants, type ServerHttp2Stream } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * What has become of a request and its answer, whichever HTTP they came by. Under HTTP/2 Node gives the platforms messages that look as those of
 * HTTP/1.1 and are told less: a request whose stream is reset ends as if it were whole, and a response does not say that it has closed.
 */

function streamOf(message: IncomingMessage): ServerHttp2Stream | undefined {
  return message.httpVersionMajor >= 2 ? (message as unknown as { stream: ServerHttp2Stream }).stream : undefined;
}

/** Whether a request has a body, also one of no bytes (RFC 9112, section 6.3; RFC 9113, section 8.1). */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return true;
  return streamOf(request)?.endAfterHeaders === false;
}

/** Of a request whose body has come to an end: whether the client has reset it before that. */
export function isReset(request: IncomingMessage): boolean {
  const stream = streamOf(request);
  return stream !== undefined && (stream.aborted || stream.closed || stream.destroyed);
}

/** Whether nothing more can be sent of a response, because it has been or because nobody is there. */
export function isClosed(response: ServerResponse): boolean {
  const stream = streamOf(response.req);
  return stream === undefined ? response.closed : stream.closed || stream.destroyed;
}

/** Whether all of a response has been sent, as far as the system tells. */
export function isSent(response: ServerResponse): boolean {
  const stream = streamOf(response.req);
  if (stream === undefined) return response.writableFinished;
  return stream.writableFinished && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/** Ends a response so that what was sent of it does not look whole: its connection is cut, with HTTP/2 its stream reset. Waits for nothing. */
export function cutOff(response: ServerResponse): void {
  const stream = streamOf(response.req);
  // not by close(), which waits until the client takes what was sent before; without an error the code would be that of a good end
  if (stream === undefined) response.destroy();
  else stream.destroy(new Error('The answer was cut off.'));
}

/** How long a client may take for its answer before nothing more of its body is read, in milliseconds. */
const ANSWER_MS = 5000;

/**
 * With HTTP/2: tells a client that goes on sending though it has its whole answer that it need not (RFC 9113, section 8.1). Not at once: some
 * throw what they have not read of the answer away then. One that does not take the answer either is cut off.
 *
 * @param linger milliseconds
 */
export function stopSending(response: ServerResponse, linger: number): void {
  const stream = streamOf(response.req);
  if (stream === undefined || stream.closed) return;
  let timer = setTimeout(() => stream.destroy(), linger + ANSWER_MS);
  const begin = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_NO_ERROR);
    }, linger);
  };
  if (stream.writableFinished) begin();
  else stream.once('finish', begin);
  stream.once('close', () => {
    clearTimeout(timer);
  });
}
