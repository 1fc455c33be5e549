import type { ExecutionContext } from '@nestjs/common';
import type { IncomingFile } from './stored-upload.js';

/** When the files of a request become visible: before its handler runs, or after the handler has succeeded. */
export type CommitMoment = 'beforeHandler' | 'afterHandler';

/**
 * Bounds of one request, by multer's names. Exactly the limit is allowed; one more is refused. `Infinity` lifts a limit. The header of each
 * part is bounded by the parser, at 16 KiB (multer's `headerPairs` does nothing there, so it is not among them).
 */
export interface UploadLimits {
  /** Longest name of a field, in UTF-8 bytes. Default 255. */
  readonly fieldNameSize?: number | undefined;
  /** Largest value of a text field, in bytes. Default 1 MiB. */
  readonly fieldSize?: number | undefined;
  /** Most text fields. Default: no limit but that of `parts`. */
  readonly fields?: number | undefined;
  /** Largest file, in bytes. Default: no limit. */
  readonly fileSize?: number | undefined;
  /** Most files. Default: what the fields of the route take. */
  readonly files?: number | undefined;
  /** Most parts, text fields and files together. Default 1,000, as in Nest. */
  readonly parts?: number | undefined;
}

/** What an upload interceptor can be told; each also as a default for the whole application. */
export interface UploadOptions {
  /** The registered name of the storage that takes the file. Default: the default storage. */
  readonly storage?: string | undefined;
  /**
   * The key of the file. Default: a random UUID and the extension of the type that was detected in its bytes.
   *
   * A key of your own is created only: where there is a file already the answer is 409, unless `overwrite` is set. The names that
   * come with `file` are the client's; a key made of them should not be guessable where that matters.
   *
   * @example
   * key: (file, context) => `users/${userOf(context).id}/avatar${file.extension}`
   */
  readonly key?: ((file: IncomingFile, context: ExecutionContext) => string | Promise<string>) | undefined;
  readonly limits?: UploadLimits | undefined;
  /** Metadata to store with the file, or a function that makes it. */
  readonly metadata?:
    | Readonly<Record<string, string>>
    | ((
        file: IncomingFile,
        context: ExecutionContext,
      ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)
    | undefined;
  /** Whether a file may replace another one under a key of your own. Default false. */
  readonly overwrite?: boolean | undefined;
  /**
   * Whether a request without the file is refused: 400 where the form lacks it, 415 where the request is no form at all. Default false:
   * the handler runs and gets `undefined`, as with Nest's own interceptors.
   */
  readonly required?: boolean | undefined;
  /**
   * `beforeHandler` (default) gives the handler a file that is stored, and removes exactly that version when a pipe refuses or the
   * handler fails. `afterHandler` (default with `overwrite: true`) lets the old file stand until the handler has succeeded; the
   * handler's file has no `etag` and no `lastModified` yet.
   *
   * With `overwrite: true` and `beforeHandler` a failing handler leaves neither the old file nor the new one.
   */
  readonly commit?: CommitMoment | undefined;
}
