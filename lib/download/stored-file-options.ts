/** How a stored file is answered with. What is left out comes from the file. */
export interface StoredFileOptions {
  /**
   * `inline` (the default) shows types in which nothing can run: images but SVG, audio, video, plain text. Every other type is an
   * `attachment`, whatever is said here, unless `inlineTypes` names it.
   */
  readonly disposition?: 'inline' | 'attachment' | undefined;
  /**
   * Types beyond the inert ones that may be shown: `['application/pdf']`. One in which a browser runs scripts (HTML, SVG, XML) is shown in a
   * sandbox, without scripts and without the application's origin.
   */
  readonly inlineTypes?: readonly string[] | undefined;
  /** The name under which a client saves the file: any Unicode. Default: that of the stored Content-Disposition, else the key's last part. */
  readonly filename?: string | undefined;
  /**
   * `Content-Disposition` as it is sent (RFC 6266), instead of `disposition` and `filename`. Its `inline` holds for the types of which `disposition` says so, else it
   * is sent as `attachment`.
   */
  readonly contentDisposition?: string | undefined;
  /** Instead of the stored media type (RFC 9110, section 8.3). */
  readonly contentType?: string | undefined;
  /** `Cache-Control` (RFC 9111, section 5.2). Default: the stored value, else `private, no-cache`: kept by the browser alone, and asked for again. */
  readonly cacheControl?: string | undefined;
  /**
   * `signed` sends the client (302) to a URL of the storage's own instead, which is good for this many seconds (default 300): bytes then do not pass
   * through the application. The storage must sign (`capabilities.urls` is `signed`).
   */
  readonly redirect?: 'signed' | { readonly expiresIn: number } | undefined;
}
