import { NotSent } from './request-handler.js';
import { DAMAGED, failureOf } from './s3-errors.js';

/** What is known of a command inside the SDK. */
interface Context {
  readonly commandName?: string;
}

interface Result {
  readonly output: { readonly ETag?: unknown; readonly Body?: unknown };
  readonly response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string | undefined>> };
}

/** Their answers name the version. One without is another's: a proxy's, or an error under the status 200. */
const WITH_ETAG: ReadonlySet<string> = new Set([
  'GetObjectCommand',
  'HeadObjectCommand',
  'PutObjectCommand',
  'UploadPartCommand',
]);

/** They send a body, and ask for no object that could be missing. */
const WITHOUT_OBJECT: ReadonlySet<string> = new Set([
  'PutObjectCommand',
  'UploadPartCommand',
  'CompleteMultipartUploadCommand',
  'DeleteObjectsCommand',
]);

/** What a server says only of itself. */
const OF_SERVER: ReadonlySet<string> = new Set(['InternalError', 'ServiceUnavailable', 'SlowDown']);

/**
 * Makes of the failure of one attempt what the SDK repeats, and `failureOf` understands: the SDK gives an answer that broke off or cannot be read
 * the status that it began with, and repeats none of what was damaged on its way.
 */
export function nameAttemptErrors(stack: { addRelativeTo(middleware: unknown, options: object): void }): void {
  stack.addRelativeTo(
    (next: (args: unknown) => Promise<Result>, context: Context) => async (args: unknown) => {
      const command = context.commandName ?? '';
      let result: Result;
      try {
        result = await next(args);
      } catch (error) {
        throw attemptError(error, command);
      }
      if (command === 'DeleteObjectCommand' && isDocument(result)) {
        throw unreadable('The answer to a deletion has a body, which is an error or of another server.', undefined);
      }
      const { ETag, Body } = result.output;
      if (!WITH_ETAG.has(command) || (typeof ETag === 'string' && ETag !== '')) return result;
      if (isDestroyable(Body)) Body.on('error', () => undefined).destroy();
      throw unreadable('The answer has no ETag.', undefined);
    },
    { relation: 'before', toMiddleware: 'deserializerMiddleware', name: 'attemptErrors' },
  );
}

function attemptError(error: unknown, command: string): unknown {
  if (error instanceof NotSent || typeof error !== 'object' || error === null) return error;
  const { status, code } = failureOf(error);
  if ('$fault' in error) {
    // what Ceph says of a body that ended too soon
    if (status === 404 && code === 'NoSuchKey' && WITHOUT_OBJECT.has(command)) {
      return retryable('IncompleteBody', 'Not all of the body arrived.', error, { httpStatusCode: 400 });
    }
    // an error inside an answer of 200, to which older versions of the SDK give the status 400, and newer ones 503
    if (status === 400 && OF_SERVER.has(code)) {
      return Object.assign(error, {
        $metadata: { ...('$metadata' in error && (error.$metadata as object)), httpStatusCode: 503 },
        $retryable: {},
      });
    }
    return DAMAGED.has(code) ? Object.assign(error, { $retryable: {} }) : error;
  }
  const {
    name,
    code: errno,
    message,
  } = error as { readonly name?: unknown; readonly code?: unknown; message?: unknown };
  if (name === 'AbortError') return error;
  const text = String(message);
  // a new error: the SDK has written the status of the answer on this one, and takes those of another realm (Jest's) for no errors
  if (typeof errno === 'string') return Object.assign(new Error(text, { cause: error }), { name, code: errno });
  if (name === 'TimeoutError') return Object.assign(new Error(text, { cause: error }), { name });
  return status === undefined || status < 300 ? unreadable(text, error) : error;
}

/** A deletion is answered by 204 and no body. The SDK looks into none. */
function isDocument({ response }: Result): boolean {
  return response?.statusCode === 200 && response.headers?.['content-type']?.includes('xml') === true;
}

function unreadable(message: string, cause: unknown): Error {
  return retryable('UnreadableAnswer', message, cause, {});
}

function retryable(name: string, message: string, cause: unknown, $metadata: object): Error {
  return Object.assign(new Error(message, { cause }), { name, $metadata, $retryable: {} });
}

interface Destroyable {
  on(event: 'error', listener: () => void): this;
  destroy(): void;
}

function isDestroyable(body: unknown): body is Destroyable {
  return typeof body === 'object' && body !== null && 'destroy' in body && 'on' in body;
}
