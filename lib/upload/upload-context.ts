import type { ExecutionContext } from '@nestjs/common';

/** What the functions in an upload's options are given: Nest's context of the request, and a signal that ends with it. */
export interface UploadContext extends ExecutionContext {
  /**
   * Fires when the upload has failed while the function may still be at work: the client has gone, another file was refused, a time was
   * over. Pass it on to whatever the function waits for. It never fires for an upload that succeeds.
   *
   * @example
   * scan: async ({ bytes }, { signal }) => (await fetch(scanner, { method: 'POST', body: bytes, duplex: 'half', signal })).ok
   */
  readonly signal: AbortSignal;
}

/** The context itself is Nest's, and shared by every interceptor of the request: it gets no property of ours. */
export function uploadContextOf(context: ExecutionContext, unit: { readonly signal: AbortSignal }): UploadContext {
  // made when it is asked for
  return Object.create(context, { signal: { get: () => unit.signal, enumerable: true } }) as UploadContext;
}
