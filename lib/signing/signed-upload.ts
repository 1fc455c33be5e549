import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { singleChecksum } from '../contract/options/single-checksum.js';
import { platformRequestOf } from '../platform/node-request.js';
import { UploadException } from '../upload/errors/index.js';
import { BODY_FIELD } from '../upload/request/body-receiver.js';
import { receiveBody, receiveForm, type ReceiveUpload } from '../upload/request/receive-upload.js';
import { createUploadInterceptor } from '../upload/upload-interceptor.js';
import type { UploadDefaults } from '../upload/upload-defaults.js';
import type { UploadOptions } from '../upload/upload-options.js';
import type { FileRule, UploadRules } from '../upload/upload-rules.js';
import type { UnreadBodies } from '../upload/platform/fastify-parsers.js';
import { signedRequestOf } from './signed-routes.js';
import type { SignedRequest } from './signed-request.js';

/** The field of a form that has the file. */
export const FORM_FIELD = 'file';

/** What a URL says of the upload, as options say it for a route. */
const OPTIONS: UploadOptions = {
  storage: (context) => signedIn(context).storage,
  key: (_file, context) => signedIn(context).key,
  overwrite: (context) => signedIn(context).createOnly !== true && headersIn(context)['if-none-match'] !== '*',
  required: true,
  limits: (context) => {
    const { size, maxSize = size } = signedIn(context);
    return {
      ...(maxSize === undefined ? undefined : { fileSize: maxSize }),
      ...(size === undefined ? undefined : { minFileSize: size }),
    };
  },
};

/**
 * What of the application's upload defaults holds beside it: what they ask of any file. What they say of where it goes, of the fields of their forms and of what
 * their clients send with it is the URL's to say, and may need a user whom a request by URL does not have.
 */
function defaultsOf(defaults: UploadDefaults): UploadDefaults {
  const { allowedTypes, filter, scan, transform, metadata, limits, onProgress, idleTimeout, callbackTimeout } =
    defaults;
  return { allowedTypes, filter, scan, transform, metadata, limits, onProgress, idleTimeout, callbackTimeout };
}

/** The body of a PUT as it is. */
export const SignedBodyInterceptor = interceptor(
  'SignedBodyInterceptor',
  BODY_FIELD,
  'every',
  (context, rules, unit) => {
    const { contentType } = signedIn(context.nest);
    const {
      'content-type': sent,
      'content-range': part,
      'if-match': version,
      'if-none-match': other,
    } = headersIn(context.nest);
    if (part !== undefined) throw partOfFile();
    if (version !== undefined || (other !== undefined && other !== '*')) throw conditionRefused();
    if (contentType !== undefined && sent?.toLowerCase() !== contentType.toLowerCase()) throw anotherType(contentType);
    return receiveBody(context, rules, unit);
  },
);

/** The file of a form that is posted. */
export const SignedFormInterceptor = interceptor('SignedFormInterceptor', FORM_FIELD, 'multipart', receiveForm);

function interceptor(name: string, field: string, bodies: UnreadBodies, receive: ReceiveUpload): Type<NestInterceptor> {
  return createUploadInterceptor(
    {
      name,
      fields: [{ name: field, maxCount: 1 }],
      bodies,
      receive,
      deliver: (carrier, uploads) => Object.assign(carrier, { file: uploads?.[0] }),
      defaultsOf,
      bind: (rules, context) => bound(rules, field, signedIn(context)),
    },
    OPTIONS,
  );
}

function bound(rules: UploadRules, field: string, { contentType, checksum }: SignedRequest): UploadRules {
  const rule = rules.files.get(field);
  if (rule === undefined) return rules;
  const [algorithm, expected] = singleChecksum(checksum) ?? [];
  const file: FileRule = {
    ...rule,
    contentType,
    ...(algorithm === undefined ? undefined : { checksum: { algorithm, expected, required: true } }),
  };
  return { ...rules, files: new Map([[field, file]]) };
}

function headersIn(context: ExecutionContext): IncomingHttpHeaders {
  return platformRequestOf(context).request.headers;
}

function signedIn(context: ExecutionContext): SignedRequest {
  return signedRequestOf(platformRequestOf(context).request);
}

/** RFC 9110, section 14.5: a part must not be taken for the whole. */
function partOfFile(): UploadException {
  return new UploadException(
    400,
    'PARTIAL_PUT',
    'This URL takes a whole file: send all of it, without the header Content-Range.',
  );
}

/** RFC 9110, section 13.1: a condition that is not looked at must not pass for one that holds. */
function conditionRefused(): UploadException {
  return new UploadException(
    400,
    'INVALID_ARGUMENT',
    'Of conditions this URL takes the header If-None-Match: * alone, which creates only: leave others out.',
  );
}

function anotherType(contentType: string): UploadException {
  return new UploadException(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `This URL takes a file of the type ${contentType}: send it in the header Content-Type.`,
  );
}
