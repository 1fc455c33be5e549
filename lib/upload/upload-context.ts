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

/**
 * What one upload knows of its request. The application's functions get theirs when the first of them is called: to put an object before Nest's
 * context makes a prototype of that, which the engine then looks up anew in every request. Most routes have no function.
 */
export class RequestContext {
  readonly nest: ExecutionContext;
  readonly #unit: { readonly signal: AbortSignal };
  #forFunctions: UploadContext | undefined;

  constructor(nest: ExecutionContext, unit: { readonly signal: AbortSignal }) {
    this.nest = nest;
    this.#unit = unit;
  }

  /** Fires when the upload has failed. */
  get signal(): AbortSignal {
    return this.#unit.signal;
  }

  /** The same for all of them. Nest's is shared by every interceptor of the request: it gets no property of ours. */
  get forFunctions(): UploadContext {
    const unit = this.#unit;
    this.#forFunctions ??= Object.create(this.nest, {
      signal: { get: () => unit.signal, enumerable: true },
    }) as UploadContext;
    return this.#forFunctions;
  }
}
