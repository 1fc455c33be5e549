/** What is wrong with a body: a part's header, what stands between the parts, or that the body ended before its closing delimiter. */
export type MultipartFailure = 'malformed-header' | 'malformed-body' | 'unexpected-end';

/** Why a body is no form. The message repeats nothing of what the client sent. */
export class MultipartError extends Error {
  override readonly name = 'MultipartError';
  readonly reason: MultipartFailure;

  constructor(reason: MultipartFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}
