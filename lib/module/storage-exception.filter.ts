import { STATUS_CODES } from 'node:http';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RangeNotSatisfiableError, StorageError } from '../contract/index.js';
import { StorageLogger } from '../logging/index.js';
import { rawResponseOf } from '../platform/node-request.js';
import { STORAGE_ERROR_STATUS } from './storage-error-status.js';

/** What a client is told, in the form of Nest's own exceptions. */
interface Answer {
  readonly statusCode: number;
  readonly message: string;
  readonly error: string;
  /** {@link StorageError.code} */
  readonly code: string;
}

/**
 * Answers storage errors that reach the edge of a request: 404 for a missing file, 409 for one that exists, and so on
 * (`{ statusCode, message, error, code }`). A failure of the server is logged, and its answer does not show what failed. The module binds it
 * to the application unless `exceptionFilter: false`; then it can still be bound where it is wanted.
 *
 * @example
 * @UseFilters(StorageExceptionFilter)
 */
@Catch(StorageError)
export class StorageExceptionFilter implements ExceptionFilter<StorageError> {
  readonly #logger = new StorageLogger(StorageExceptionFilter.name);
  readonly #adapterHost: HttpAdapterHost;

  constructor(adapterHost: HttpAdapterHost) {
    this.#adapterHost = adapterHost;
  }

  /** In contexts other than HTTP and WebSockets it gives nothing back, which leaves the error to Nest's own handling. */
  catch(exception: StorageError, host: ArgumentsHost): void {
    switch (host.getType()) {
      case 'http':
        this.#answer(exception, host.switchToHttp().getResponse<object>());
        break;
      case 'ws':
        this.#log(exception);
        emit(answerTo(exception), host.switchToWs().getClient());
    }
  }

  #answer(exception: StorageError, response: object): void {
    // a client that goes away ends what was done for it, which is no failure: a player that seeks does so every time
    if (exception.code !== 'ABORTED' || !isGone(response)) this.#log(exception);
    const { httpAdapter } = this.#adapterHost;
    if (httpAdapter.isHeadersSent(response)) {
      breakOff(response);
      return;
    }
    const answer = answerTo(exception);
    // RFC 9110, section 15.5.17
    if (exception instanceof RangeNotSatisfiableError) {
      httpAdapter.setHeader(response, 'Content-Range', `bytes */${exception.size}`);
    }
    httpAdapter.reply(response, answer, answer.statusCode);
  }

  #log(exception: StorageError): void {
    if (statusOf(exception) >= 500) this.#logger.error('A call of a storage has failed.', { failure: exception });
  }
}

/** A storage of another version may have codes that this one does not know. */
function statusOf({ code }: StorageError): number {
  return Object.hasOwn(STORAGE_ERROR_STATUS, code) ? STORAGE_ERROR_STATUS[code] : 500;
}

function answerTo(exception: StorageError): Answer {
  const statusCode = statusOf(exception);
  const error = STATUS_CODES[statusCode] ?? 'Error';
  return { statusCode, message: statusCode < 500 ? exception.message : error, error, code: exception.code };
}

/** An answer that has begun cannot become another one; ended in order it would look whole. So the client must see it break. */
function breakOff(response: object): void {
  const raw = rawResponseOf(response);
  if (!raw.writableEnded) raw.destroy();
}

function isGone(response: object): boolean {
  const raw = rawResponseOf(response);
  return raw.destroyed || raw.closed;
}

/** As Nest's own filter of WebSockets does it. */
function emit({ message, code }: Answer, client: { emit?: (event: string, data: object) => unknown }): void {
  client.emit?.('exception', { status: 'error', message, code });
}
