import type { IncomingMessage } from 'node:http';
import { ConfigurationError } from '../../contract/index.js';
import * as refused from '../errors/index.js';
import type { ReceivedFile } from '../file/stage-file.js';
import { boundaryOf, kindOfRequest } from '../multipart/content-type.js';
import { createFormBody } from '../multipart/form-body.js';
import { hasBody } from '../../platform/message-state.js';
import { platformRequestOf } from '../../platform/node-request.js';
import type { RequestContext } from '../upload-context.js';
import { describeFields, type UploadRules } from '../upload-rules.js';
import type { UploadUnit } from '../upload-unit.js';
import { BODY_FIELD, BodyReceiver } from './body-receiver.js';
import { FormReceiver } from './form-receiver.js';

/**
 * What an interceptor takes: a multipart form, or the body as it is.
 *
 * @returns the files; `undefined` for a request that has nothing of the kind, and need not
 */
export type ReceiveUpload = (
  context: RequestContext,
  rules: UploadRules,
  unit: UploadUnit,
) => Promise<readonly ReceivedFile[] | undefined>;

export const receiveForm: ReceiveUpload = async (context, rules, unit) => {
  const { carrier, request, response } = platformRequestOf(context.nest);
  const contentType = request.headers['content-type'];
  const kind = kindOfRequest(contentType);
  if (contentType === undefined || kind !== 'form') {
    const required = [...rules.files.values(), rules.otherFiles].some((rule) => rule?.required);
    if (required || kind === 'other-multipart') throw refused.notMultipart(describeFields(rules));
    return undefined;
  }
  refuseEncoded(request.headers['content-encoding']);
  const boundary = boundaryOf(contentType);
  beginOnce(request);
  if (request.readableDidRead) throw formReadBefore();
  const body = createFormBody();
  Object.assign(carrier, { body });
  return new FormReceiver({ request, response, context, boundary, rules, unit, body }).receive();
};

export const receiveBody: ReceiveUpload = async (context, rules, unit) => {
  const { carrier, request, response } = platformRequestOf(context.nest);
  const { headers } = request;
  const rule = rules.files.get(BODY_FIELD);
  if (rule === undefined) throw new ConfigurationError('The rules of a raw body say nothing of it.');
  if (!hasBody(request)) {
    if (rule.required) throw refused.bodyMissing();
    return undefined;
  }
  refuseEncoded(headers['content-encoding']);
  beginOnce(request);
  if (request.readableDidRead) {
    // Express extends Node's request, Fastify has it in one of its own
    const platform = carrier === request ? 'express' : 'fastify';
    throw refused.bodyParsedBefore(headers['content-type'] ?? 'no content type', platform);
  }
  return new BodyReceiver({ request, response, context, rules, unit }, rule).receive();
};

function refuseEncoded(encoding: string | undefined): void {
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') throw refused.contentEncoded(encoding);
}

/** On a request whose body an upload has begun to read. A property of its own: the collector looks through a WeakSet at every turn. */
const begun = Symbol('storage upload');

/** @throws ConfigurationError where an upload has had the body already: a stream comes once */
function beginOnce(request: IncomingMessage & { [begun]?: true }): void {
  if (request[begun] === true) {
    throw new ConfigurationError(
      'The upload of this request ran a second time, and a body can be read once: an interceptor around it subscribes again ' +
        '(retry(), repeat()), or the route has two upload interceptors.',
    );
  }
  request[begun] = true;
}

/** A mistake of the application, which its log should tell and the client need not know. */
function formReadBefore(): ConfigurationError {
  return new ConfigurationError(
    'The body of this request was read before the upload interceptor got it: another body parser (express.raw, multer, a proxy, ' +
      '@fastify/multipart with attachFieldsToBody) takes multipart/form-data on this route. Take it off.',
  );
}
