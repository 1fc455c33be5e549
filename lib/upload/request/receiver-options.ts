import { AsyncResource } from 'node:async_hooks';
import type { TransferProgress } from '../../contract/index.js';
import type { RequestContext } from '../upload-context.js';
import type { UploadRules } from '../upload-rules.js';
import type { UploadUnit } from '../upload-unit.js';
import type { RequestBodyOptions } from './request-body.js';

/** What a receiver works with. */
export interface ReceiverOptions {
  readonly request: RequestBodyOptions['request'];
  readonly response: RequestBodyOptions['response'];
  readonly context: RequestContext;
  readonly rules: UploadRules;
  /** Takes the files. */
  readonly unit: UploadUnit;
}

/** How a receiver's request is read. */
export function bodyOptions({ request, response, context, rules, unit }: ReceiverOptions): RequestBodyOptions {
  const { idleTimeout, onProgress } = rules;
  return {
    request,
    response,
    unit,
    idleTimeout,
    onProgress:
      onProgress === undefined
        ? undefined
        : // in the context of the handler, as the application's other functions, not in that of the socket's events
          AsyncResource.bind((progress: TransferProgress) => onProgress(progress, context.forFunctions)),
  };
}
