import { ConnectionError, StorageError, TimeoutError } from '../../contract/index.js';
import { errorOf, failureOf } from './s3-errors.js';

/** A provider of credentials may ask a server of its own: what goes wrong there is none of the bucket's. */
export function credentialsError(error: unknown): unknown {
  // of the SDK's own, which say that there are none
  if (failureOf(error).code === 'CredentialsProviderError') return error;
  const failure = errorOf(error, '', undefined);
  const options = { cause: error };
  const message = 'The credentials for the server could not be got: their provider failed.';
  const isPassing = failure instanceof ConnectionError || failure instanceof TimeoutError;
  return isPassing ? new ConnectionError(message, options) : new StorageError(message, options);
}

type Middleware = (next: (args: unknown) => Promise<unknown>, context: object) => (args: unknown) => Promise<unknown>;

/**
 * Names the failures of the step in which the SDK asks for the credentials of a request. That step has the provider that its client was made with: to
 * wrap it would be to change a client that is the owner's.
 */
export function nameCredentialErrors(
  stack: { addRelativeTo(middleware: unknown, options: object): void },
  credentials: () => Promise<unknown>,
): void {
  const toMiddleware = 'httpAuthSchemeMiddleware';
  const passed = new WeakSet();
  const before: Middleware = (next, context) => async (args) => {
    try {
      return await next(args);
    } catch (error) {
      if (passed.has(context)) throw error;
      // the step finds out the region and the endpoint, too
      await credentials().catch((failure: unknown) => {
        throw credentialsError(failure);
      });
      throw error;
    }
  };
  const after: Middleware = (next, context) => (args) => {
    passed.add(context);
    return next(args);
  };
  stack.addRelativeTo(before, { relation: 'before', toMiddleware, name: 'credentialErrors' });
  stack.addRelativeTo(after, { relation: 'after', toMiddleware, name: 'credentialsGot' });
}
