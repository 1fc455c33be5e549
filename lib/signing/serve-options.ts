import type { ExecutionContext, InjectionToken } from '@nestjs/common';
import type { PendingUpload, StoredUpload } from '../upload/index.js';
import type { SigningSecret } from './signing-secrets.js';

/** Where the routes of signed URLs lie: known before any factory has run. */
export interface ServeRoute {
  /** The path of the routes, below the application's global prefix. Default `storage`. */
  readonly path?: string | undefined;
  /** The provider that is told of each upload by URL: a class, or its token. It may belong to any module. */
  readonly onUploaded?: InjectionToken<SignedUploadHook> | undefined;
}

/** What signs URLs, and by what address clients reach them. */
export interface ServeSettings {
  /**
   * The address under which clients reach the application: `https://api.example.com`, or with what a proxy puts before its paths,
   * `https://example.com/backend`. The global prefix and `path` are added to it.
   */
  readonly baseUrl: string;
  /**
   * What signs the URLs: at least 32 bytes each, from the configuration. The first signs, all verify: to rotate, put the new one first, and take the old one
   * out when its URLs have run out (7 days at most).
   */
  readonly secrets: readonly SigningSecret[];
  /** The names of the storages that are signed for. Default: all that sign no URLs of their own. */
  readonly storages?: readonly string[] | undefined;
  /**
   * Where used one-time URLs (`url(key, { once: true })`) are noted, until they have expired: the name of a storage with create-only puts that all processes of the
   * application share, and a prefix in it, which no file of the application may have. Default `used-urls/`.
   */
  readonly usedUrls?: { readonly storage: string; readonly prefix?: string | undefined } | undefined;
}

/**
 * Signed URLs for storages that have none of their own (memory, filesystem, SQLite, yours), and the routes that honour them: GET and HEAD, PUT, and POST of a
 * form. Who has such a URL needs nothing else: the application's global guards are asked, the routes have none of their own but the signature.
 */
export interface ServeOptions extends ServeRoute, ServeSettings {}

/** Told of uploads by URL; see {@link ServeRoute.onUploaded}. */
export interface SignedUploadHook {
  /**
   * Called when all bytes of a file have been taken and checked, before the client is answered. What it throws is the answer (an `HttpException`), and undoes the
   * upload: under a create-only URL the new file is removed, else it does not become visible, and the old one stays. Its `etag` and `lastModified` are known under a
   * create-only URL alone.
   *
   * @example
   * async onUploaded(file: PendingUpload) {
   *   if (!(await this.albums.has(albumOf(file.key)))) throw new GoneException('The album is gone.');
   * }
   */
  onUploaded(file: StoredUpload | PendingUpload, context: ExecutionContext): void | Promise<void>;
}
