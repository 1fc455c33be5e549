import type { ServerResponse } from 'node:http';
import type { RequestDrain } from '../../shutdown/request-drain.js';
import { UploadException } from '../errors/index.js';

/** The answer to an upload of an application that is closing, with the headers that belong to it (RFC 9110, section 10.2.3). */
export function shuttingDown(
  response: ServerResponse,
  { retryAfter }: Pick<RequestDrain, 'retryAfter'>,
): UploadException {
  if (!response.headersSent) {
    response.setHeader('Retry-After', String(retryAfter));
    // HTTP/2 knows no such header: there the session ends by itself
    if (response.req.httpVersionMajor < 2) response.setHeader('Connection', 'close');
  }
  return new UploadException(
    503,
    'SHUTTING_DOWN',
    `The server is shutting down and takes no uploads: try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}.`,
  );
}
