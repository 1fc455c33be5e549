import { randomBytes } from 'node:crypto';
import {
  contentTypeOfKey,
  type ResolvedUploadUrlOptions,
  type SignedUpload,
  type UrlSigner,
} from '../contract/index.js';
import { canonicalBytes, type SignedRequest } from './signed-request.js';
import { readSignedUrl, writeSignedUrl } from './signed-url-form.js';
import type { SigningSecrets } from './signing-secrets.js';

/** How long a URL is good whose caller has not said it, in seconds: as S3Storage's. */
const DEFAULT_SECONDS = 3600;

export interface UrlSigningOptions {
  readonly secrets: SigningSecrets;
  /** Where the routes are as clients see them, ending in `/`. Asked for each URL: the global prefix is set after the providers are made. */
  readonly publicBase: (method: SignedRequest['method']) => string;
  /** Whether there is a place where used one-time URLs are noted. */
  readonly oneTimeUrls: boolean;
}

/** Signs URLs and verifies them. */
export class UrlSigning {
  readonly #options: UrlSigningOptions;

  constructor(options: UrlSigningOptions) {
    this.#options = options;
  }

  /** What a storage of that registered name is given. */
  signerOf(storage: string): UrlSigner {
    return {
      oneTimeUrls: this.#options.oneTimeUrls,
      url: (key, { expiresIn = DEFAULT_SECONDS, disposition, contentType, once }) =>
        this.#sign({
          method: 'GET',
          storage,
          key,
          expires: expiryOf(expiresIn),
          disposition,
          contentType,
          once: once === true ? randomBytes(16).toString('hex') : undefined,
        }),
      uploadUrl: (key, options) => this.#signUpload(storage, key, options),
    };
  }

  /**
   * What a URL allows; `undefined` where it allows nothing, whatever the reason.
   *
   * @param method of the request
   * @param text what stands in the URL behind the route, as it was sent
   */
  verify(method: string, text: string): SignedRequest | undefined {
    const meant = method === 'HEAD' ? 'GET' : method;
    if (meant !== 'GET' && meant !== 'PUT' && meant !== 'POST') return undefined;
    const read = readSignedUrl(meant, text);
    if (read === undefined) return undefined;
    const { request, signature } = read;
    if (!this.#options.secrets.verify(canonicalBytes(request), signature)) return undefined;
    return Date.now() < request.expires * 1000 ? request : undefined;
  }

  #signUpload(storage: string, key: string, options: ResolvedUploadUrlOptions): SignedUpload {
    const { expiresIn, contentType = contentTypeOfKey(key), size, maxSize, checksum, ifNoneMatch } = options;
    const { method = 'PUT' } = options;
    const expires = expiryOf(expiresIn);
    const createOnly = ifNoneMatch === '*';
    const url = this.#sign({ method, storage, key, expires, contentType, size, maxSize, checksum, createOnly });
    const expiresAt = new Date(expires * 1000);
    return method === 'PUT'
      ? { method, url, headers: { 'content-type': contentType }, expiresAt }
      : { method, url, fields: {}, expiresAt };
  }

  #sign(request: SignedRequest): string {
    return (
      this.#options.publicBase(request.method) +
      writeSignedUrl(request, this.#options.secrets.sign(canonicalBytes(request)))
    );
  }
}

/** Never less than was asked for: a URL of one second is good for one second at least. */
function expiryOf(seconds: number): number {
  return Math.ceil(Date.now() / 1000) + seconds;
}
