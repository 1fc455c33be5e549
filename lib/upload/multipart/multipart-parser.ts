import type { Readable, Writable } from 'node:stream';

/** What a part's own header says. Names are decoded as UTF-8, and as the client sent them otherwise. */
export interface PartHeader {
  /** The `name` of the part; undefined where it has none. */
  readonly name: string | undefined;
  /** The `filename`; undefined where it has none, or an empty one. */
  readonly filename: string | undefined;
  /** `Content-Transfer-Encoding`, in lower case; `7bit` where there is none. */
  readonly encoding: string;
  /** `Content-Type` without its parameters; `text/plain` where there is none. */
  readonly mimeType: string;
}

/**
 * What a parser tells. The calls come one after the other, in the order of the body, from inside `write()`; they must not throw, and
 * not destroy the sink: a parser need not survive the loss of its state in the middle of a chunk (busboy does not).
 * After `onError`, or once the sink is destroyed, whatever still comes means nothing.
 */
export interface MultipartListener {
  /**
   * A file begins. Its stream must be read or destroyed: the parser goes on when the bytes have been taken. The stream has an
   * `error` listener; it fails rather than end early when the sink is destroyed.
   */
  onFile(header: PartHeader, bytes: Readable): void;
  /** A file has one byte more than `fileSize`; its stream has not ended yet, and must not be let end. */
  onFileLimit(header: PartHeader, bytes: Readable): void;
  /** A text field, whole. `value` is undefined where its charset is not known. */
  onField(header: PartHeader, value: string | undefined, truncated: boolean): void;
  /** The form has more parts than `parts`. */
  onPartsLimit(): void;
  /** The body is malformed, or ended before its closing delimiter. */
  onError(error: Error): void;
  /** The closing delimiter has been read, the body has ended, and every file has been taken to its end. */
  onEnd(): void;
}

/** Bounds that a parser keeps by itself, each the most that is allowed. */
export interface ParserLimits {
  readonly fieldSize: number;
  readonly fileSize: number;
  readonly parts: number;
}

export interface ParserOptions {
  readonly boundary: string;
  readonly limits: ParserLimits;
}

/**
 * A parser of multipart/form-data (RFC 7578): a sink for the body that tells a listener what it finds. The rest of the upload knows
 * no more of it than this.
 */
export type OpenMultipartParser = (options: ParserOptions, listener: MultipartListener) => Writable;
