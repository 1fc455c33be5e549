import type { Checksum, FileAttributes, StoredFile } from '../contract/index.js';

/** A file as it arrives, before it has a key. Its names are the client's own words: cleaned, not trusted. */
export interface IncomingFile {
  /** The name of the form's field; `body` for a raw body. */
  readonly fieldname: string;
  /** The client's name for the file: a base name in UTF-8 of at most 255 bytes without control characters; empty where there is none. */
  readonly originalname: string;
  /** The part's `Content-Transfer-Encoding`, `7bit` where it has none. The bytes are stored as they came. */
  readonly encoding: string;
  /** The media type that the client claims. */
  readonly mimetype: string;
  /** The media type that was found in the bytes; see {@link StoredUpload.contentType}. */
  readonly contentType: string;
  /** The usual extension of `contentType` with its dot (`.png`); empty where the type is unknown. */
  readonly extension: string;
}

/** What a handler knows of its file before it is committed (`commit: 'afterHandler'`): no etag and no date. */
export interface PendingUpload extends FileAttributes {
  /** The canonical key. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /**
   * The media type that was found in the bytes. What has no signature (text, CSV, JSON ...) gets the client's word only if that names a type
   * which no browser runs, and the bytes look like text; all else is `application/octet-stream`. So is what a browser might run
   * scripts in, HTML, SVG and XML, whatever the client says.
   */
  readonly contentType: string;
  /** The name of the form's field. */
  readonly fieldname: string;
  /** The client's name for the file, a base name without control characters, at most 255 bytes. Never use it as a path. */
  readonly originalname: string;
  /** The part's `Content-Transfer-Encoding`, `7bit` where it has none. */
  readonly encoding: string;
  /** The media type that the client claims; `contentType` is the one that was found. */
  readonly mimetype: string;
  /** The registered name of the storage that has the file. */
  readonly storage: string;
  /** Of the bytes as the client sent them, in lower-case hex; where the option `checksum` asks for one. */
  readonly checksum?: Checksum;
}

/**
 * A file that has been uploaded and stored, as `@UploadedFile()` gives it: what the storage knows of it, and multer's names.
 *
 * @example
 * @Post()
 * @UseInterceptors(StorageFileInterceptor('file'))
 * upload(@UploadedFile() file: StoredUpload) {
 *   return { key: file.key, size: file.size };
 * }
 */
export interface StoredUpload extends PendingUpload, StoredFile {
  readonly key: string;
  readonly size: number;
  readonly contentType: string;
}
