import type { Duplex, Readable } from 'node:stream';
import type { Checksum, TransferProgress } from '../contract/index.js';
import type { IncomingFile } from './stored-upload.js';
import type { UploadContext } from './upload-context.js';

/** When the files of a request become visible: before its handler runs, or after the handler has succeeded. */
export type CommitMoment = 'beforeHandler' | 'afterHandler';

/** A value, or a function that gives it for each request (of a tenant's plan, say). It is called once a request, after the guards. */
export type PerRequest<T> = T | ((context: UploadContext) => T | Promise<T>);

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Bounds of one request, by multer's names where it has one. Exactly the limit is allowed; one more is refused. `Infinity` lifts a
 * limit. The header of each part is bounded by the parser, at 16 KiB.
 */
export interface UploadLimits {
  /** Longest name of a field, in UTF-8 bytes. Default 255. */
  readonly fieldNameSize?: number | undefined;
  /** Largest value of a text field, in bytes. Default 1 MiB. */
  readonly fieldSize?: number | undefined;
  /** All values of text fields together, in bytes. Default 8 MiB, or `fieldSize` where that is more. */
  readonly fieldsSize?: number | undefined;
  /** Most text fields. Default: no limit but that of `parts`. */
  readonly fields?: number | undefined;
  /** How many brackets a field's name may have: `a[b][c]` has two. Default 32, as in Nest. */
  readonly fieldNestingDepth?: number | undefined;
  /** Largest index in a field's name: `a[1000]`. Default 1,000, as in Nest. */
  readonly fieldArrayIndexLimit?: number | undefined;
  /** Largest file, in bytes. Default: no limit. */
  readonly fileSize?: number | undefined;
  /** Smallest file, in bytes. Default 0. */
  readonly minFileSize?: number | undefined;
  /** All files of the request together, in bytes. Default: no limit. */
  readonly totalSize?: number | undefined;
  /** Most files. Default: what the fields of the route take. */
  readonly files?: number | undefined;
  /** Most parts, text fields and files together. Default 1,000, as in Nest. */
  readonly parts?: number | undefined;
  /** Most header lines of a part. Default 100; clients send two or three. */
  readonly headerPairs?: number | undefined;
}

/**
 * A checksum of a file's bytes as the client sent them.
 *
 * The algorithm alone computes it: the handler finds it in {@link PendingUpload.checksum}. With `header` or `field` it is also compared
 * with what the client says there, before anything becomes visible: 422 where they differ.
 */
export type UploadChecksum =
  | keyof Checksum
  | {
      readonly algorithm: keyof Checksum;
      /**
       * The request header that has the expected value: hex, Base64, or a dictionary of RFC 9530 (`sha-256=:...:`). It speaks of one file; a
       * form with another file beside it is refused.
       */
      readonly header?: string | undefined;
      /** The text field of the form that has it, before or behind the file; a function where there are several files. */
      readonly field?: string | ((file: IncomingFile) => string) | undefined;
      /** Whether a file without an expected value is refused with 400. Default false. */
      readonly required?: boolean | undefined;
    };

/** What a `transform` gives: a stream that the bytes pass through, and the type of what comes out if it is another one. */
export type UploadTransform =
  | Duplex
  | {
      readonly stream: Duplex;
      /** The media type of what comes out. The default key gets its extension. */
      readonly contentType?: string | undefined;
    };

/** A file under a scanner's eyes. */
export interface ScannedFile extends IncomingFile {
  /**
   * The bytes as the client sends them, with back-pressure: the upload goes no faster than they are read. A scanner that knows enough may
   * leave the rest unread or destroy the stream.
   */
  readonly bytes: Readable;
}

/** What can be said of the files of one field. */
export interface UploadFileOptions {
  /** The registered name of the storage that takes the file. Default: the default storage. */
  readonly storage?: PerRequest<string> | undefined;
  /**
   * The key of the file. Default: a random UUID and the extension of the type that was detected in its bytes.
   *
   * A key of your own is created only: where there is a file already the answer is 409, unless `overwrite` is set. The names that
   * come with `file` are the client's; a key made of them should not be guessable where that matters.
   *
   * @example
   * key: (file, context) => `users/${userOf(context).id}/avatar${file.extension}`
   */
  readonly key?: ((file: IncomingFile, context: UploadContext) => Awaitable<string>) | undefined;
  /**
   * Which files are taken, by what is found in their bytes and never by what the client says: media types (`'image/png'`), groups
   * (`'image/*'`) or extensions (`'.pdf'`). A file whose bytes are of any other type, or of none that is known, is answered 415, whatever
   * name and type the client gives it. A PNG that is called `a.jpg` is a PNG: taken where PNGs are, and stored as one.
   *
   * Text has no signature: `'text/*'` or the type itself must be named, the client must claim it, and the bytes must look like text. What a browser
   * may run (SVG, HTML, XML, JavaScript) is in no group and must be named itself: `'image/*'` takes no SVG.
   */
  readonly allowedTypes?: PerRequest<string | readonly string[]> | undefined;
  /** Metadata to store with the file, or a function that makes it. */
  readonly metadata?:
    | Readonly<Record<string, string>>
    | ((file: IncomingFile, context: UploadContext) => Awaitable<Readonly<Record<string, string>>>)
    | undefined;
  /** Computes a checksum, or verifies one that the client sent. Default: none; sha256 costs about a third of an upload. */
  readonly checksum?: PerRequest<UploadChecksum> | undefined;
  /** Whether a file may replace another one under a key of your own. Default false. */
  readonly overwrite?: PerRequest<boolean> | undefined;
  /**
   * Whether a request without the file is refused: 400 where the form lacks it, 415 where the request is no form at all. Default false:
   * the handler runs and gets `undefined`, as with Nest's own interceptors.
   */
  readonly required?: PerRequest<boolean> | undefined;
  /**
   * Whether a file is taken. `false` leaves it out: its bytes are thrown away and the form goes on, as with multer's `fileFilter`. An
   * `HttpException` that it throws refuses the whole request.
   */
  readonly filter?: ((file: IncomingFile, context: UploadContext) => Awaitable<boolean>) | undefined;
  /**
   * A stream that the bytes pass through on their way into the storage: a resizer, an encryptor, a compressor. `undefined` leaves a file
   * as it is. Sizes and checksums are of what the client sent; `size` of the stored file is what came out.
   *
   * @example
   * transform: () => createCipheriv('aes-256-ctr', secret, iv)
   */
  readonly transform?:
    ((file: IncomingFile, context: UploadContext) => Awaitable<UploadTransform | undefined>) | undefined;
  /**
   * A verdict on the file before it is committed, for virus scanners. It is asked while the file is staged; nothing becomes visible before it has
   * answered for every file. `false` refuses the request with 422. What it throws is the answer: a scanner that is down should
   * throw a `ServiceUnavailableException`.
   *
   * @example
   * scan: async (file) => (await clamav.scanStream(file.bytes)).isInfected === false
   */
  readonly scan?: ((file: ScannedFile, context: UploadContext) => Awaitable<boolean>) | undefined;
  /**
   * How long each of the application's functions may take, in milliseconds, before the request is answered 504: those of the request, `filter`,
   * `key`, `metadata`, `transform` and `scan`. A scanner, and a stream that `transform` gave, are late when they have neither taken nor given a
   * byte for so long, though there was something to take or all has been taken: what a slow client or a slow storage makes them wait for does not
   * count. Whoever is late hears of it by {@link UploadContext.signal}. Default 300,000 (a virus scanner may take minutes); `Infinity` waits
   * for ever.
   */
  readonly callbackTimeout?: PerRequest<number> | undefined;
}

/** What can be said of one field beside the others. */
export interface UploadFieldOptions extends UploadFileOptions {
  readonly limits?: PerRequest<Pick<UploadLimits, 'fileSize' | 'minFileSize'>> | undefined;
}

/** What an upload interceptor can be told; each also as a default for the whole application. */
export interface UploadOptions extends UploadFileOptions {
  readonly limits?: PerRequest<UploadLimits> | undefined;
  /**
   * What holds for the files of one field, over the rest: another storage, other types. The request is one unit across them all.
   *
   * @example
   * fields: { avatar: { storage: 'avatars', allowedTypes: 'image/*' }, cv: { storage: 'private', allowedTypes: '.pdf' } }
   *
   * @example
   * fields: async (context) => ({ cv: { storage: (await tenantOf(context)).storage } })
   */
  readonly fields?: PerRequest<Readonly<Record<string, UploadFieldOptions>>> | undefined;
  /**
   * `beforeHandler` (default) gives the handler files that are stored, and removes exactly those versions when a pipe refuses or the
   * handler fails. `afterHandler` (default with `overwrite: true`) lets old files stand until the handler has succeeded; the
   * handler's files have no `etag` and no `lastModified` yet. A handler that sends the answer itself (`@Res()`) is refused then: it
   * would tell of files that are not there yet.
   *
   * With `overwrite: true` and `beforeHandler` a failing handler leaves neither the old file nor the new one.
   */
  readonly commit?: PerRequest<CommitMoment> | undefined;
  /**
   * Called as the body arrives, with the bytes of the request so far and, where the client has said it, the length of the whole. What it
   * throws fails the upload.
   */
  readonly onProgress?: ((progress: TransferProgress, context: UploadContext) => void) | undefined;
  /**
   * How long the client may send nothing, in milliseconds, before it is answered 408. A slow storage that keeps the client waiting does not
   * count. Default 60,000; `Infinity` waits as long as the server does (`server.requestTimeout`, 300 seconds for the whole request).
   */
  readonly idleTimeout?: PerRequest<number> | undefined;
}
