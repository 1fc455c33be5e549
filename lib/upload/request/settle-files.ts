import { Readable } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { StreamableFile } from '@nestjs/common';
import { isClosed, isSent } from '../../platform/message-state.js';
import { onceGone } from '../../platform/once-gone.js';
import type { UploadUnit } from '../upload-unit.js';

/**
 * The handler has succeeded, but for an answer that is still on its way: a stream that breaks, or a status of failure, be it the handler's own
 * or that of an interceptor around it which fails later, takes the files along. A client that goes away meanwhile does not: the application
 * has done its work.
 */
export function keepUnlessBroken(answer: unknown, response: ServerResponse, unit: UploadUnit): void {
  const failed = (reason: unknown): void => {
    void unit.rollBack(reason);
  };
  const stream = answer instanceof StreamableFile ? answer.getStream() : answer;
  if (stream instanceof Readable && stream.errored !== null) {
    failed(stream.errored);
    return;
  }
  const streaming = stream instanceof Readable && !stream.closed;
  if (streaming) stream.once('error', failed);
  if (!isClosed(response)) {
    onceGone(response, () => {
      const { statusCode } = response;
      if (isSent(response) && statusCode >= 400) failed(new Error(`The request was answered ${statusCode}.`));
      else unit.keep();
    });
  } else if (streaming) {
    stream.once('close', () => {
      unit.keep();
    });
  } else {
    unit.keep();
  }
}

/**
 * Somebody outside took the handler's value and no more, not even its end: an interceptor with `first()`, or one that failed at the value.
 * What it then answers tells which: only a success that has been sent keeps the files.
 */
export function settleByAnswer(response: ServerResponse, unit: UploadUnit): void {
  const settle = (): void => {
    if (isSent(response) && response.statusCode < 400) unit.keep();
    else void unit.rollBack(new Error('The request failed or was cancelled after its handler.'));
  };
  onceGone(response, settle);
}
