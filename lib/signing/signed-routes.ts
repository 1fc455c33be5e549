import type { IncomingMessage } from 'node:http';
import { ForbiddenException } from '@nestjs/common';
import { ConfigurationError, sanitizeKey, signUrls, type Storage, type UrlSigner } from '../contract/index.js';
import type { StorageRegistry } from '../registry/index.js';
import type { ServeSettings } from './serve-options.js';
import type { SignedRequest } from './signed-request.js';
import { SigningSecrets } from './signing-secrets.js';
import { UrlSigning } from './url-signing.js';
import { UsedUrls } from './used-urls.js';

export interface SignedRoutesOptions {
  readonly settings: ServeSettings;
  readonly registry: StorageRegistry;
  /** The path of the routes as requests have it, without a slash at its end. */
  readonly routePath: (method: SignedRequest['method']) => string;
}

/** The default of {@link ServeRoute.path}. */
export const DEFAULT_PATH = 'storage';

const request = Symbol('signed request');

/** What the routes of signed URLs share: who signs, who verifies, and which storages there are. */
export class SignedRoutes {
  readonly #options: SignedRoutesOptions;
  readonly #signing: UrlSigning;
  readonly #usedUrls: UsedUrls | undefined;
  readonly #requestBases: Partial<Record<SignedRequest['method'], string>> = {};

  /** @throws ConfigurationError that names the setting */
  constructor(options: SignedRoutesOptions) {
    const { settings, registry, routePath } = options;
    this.#options = options;
    const baseUrl = baseUrlOf(settings.baseUrl);
    this.#usedUrls = usedUrlsOf(settings.usedUrls, registry);
    this.#signing = new UrlSigning({
      secrets: new SigningSecrets(settings.secrets),
      publicBase: (method) => `${baseUrl}${routePath(method)}/`,
      oneTimeUrls: this.#usedUrls !== undefined,
    });
    checkNames(settings.storages);
  }

  /** The signer of a storage; `undefined` for one that is not to be signed for. */
  signerFor(name: string, storage: Storage, signsItself: boolean): UrlSigner | undefined {
    const { registry, settings } = this.#options;
    // what the storage signs itself needs no pass through the application
    if (settings.storages === undefined) return signsItself ? undefined : this.#signing.signerOf(name);
    // it may have several names
    const named = settings.storages.find((each) => registry.has(each) && registry.get(each) === storage);
    return named === undefined ? undefined : this.#signing.signerOf(named);
  }

  /** @throws ConfigurationError where `storages` has a name that no storage has, or one that cannot be signed for */
  checkStorages(): void {
    for (const name of this.#options.settings.storages ?? []) {
      // fails with the known names
      if (signUrls in this.#options.registry.get(name)) continue;
      throw new ConfigurationError(
        `serve.storages: the storage ${JSON.stringify(name)} gives its URLs itself, since it does not extend BaseStorage. Let it, or leave it out.`,
      );
    }
    const { usedUrls } = this.#options.settings;
    if (usedUrls === undefined) return;
    if (!this.#options.registry.get(usedUrls.storage).capabilities.createOnly) {
      throw new ConfigurationError(
        `serve.usedUrls.storage: the storage ${JSON.stringify(usedUrls.storage)} cannot create without replacing (capabilities.createOnly is ` +
          'false), so it cannot tell the first use of a URL from the second. Name another one.',
      );
    }
  }

  /** Whether a request is for these routes and carries a signature, valid or not. */
  isMeant(request: IncomingMessage): boolean {
    // its own query has no such form: a webhook of the application below the same path may be signed in another way
    return /^[^/?]+\/[^?]+\?expires=.*&signature=/.test(this.#signedPart(request) ?? '');
  }

  /**
   * Lets a request in, or refuses it: with the same words whatever is wrong, so that nothing is told of what there is.
   *
   * @throws ForbiddenException
   */
  async admit(asked: IncomingMessage & { [request]?: SignedRequest }): Promise<void> {
    const { method = '' } = asked;
    const text = this.#signedPart(asked);
    const signed = text === undefined ? undefined : this.#signing.verify(method, text);
    if (signed === undefined || !this.#isServed(signed.storage)) throw refused();
    const { expires, once } = signed;
    if (once !== undefined) {
      const marks = this.#usedUrls;
      if (marks === undefined) throw refused();
      const good = method === 'HEAD' ? !(await marks.wasUsed({ expires, once })) : await marks.use({ expires, once });
      if (!good) throw refused();
    }
    asked[request] = signed;
  }

  /** Also for a URL that was signed when more storages were. */
  #isServed(name: string): boolean {
    const { settings, registry } = this.#options;
    return settings.storages?.includes(name) !== false && registry.has(name);
  }

  /** What stands in a URL behind the route; `undefined` for another route. RFC 9112, section 3.2.2: a request line may name the server. */
  #signedPart({ url = '', method = '' }: IncomingMessage): string | undefined {
    const path = url.replace(/^https?:\/\/[^/?]*/i, '');
    const base = this.#baseOf(method === 'PUT' || method === 'POST' ? method : 'GET');
    return path.startsWith(base) ? path.slice(base.length) : undefined;
  }

  /** What the path of a request begins with; kept, since requests come only when the global prefix is set. */
  #baseOf(method: SignedRequest['method']): string {
    return (this.#requestBases[method] ??= `${this.#options.routePath(method)}/`);
  }

  storageOf(name: string): Storage {
    return this.#options.registry.get(name);
  }
}

/** What an admitted request may do. */
export function signedRequestOf(admitted: IncomingMessage & { [request]?: SignedRequest }): SignedRequest {
  const signed = admitted[request];
  if (signed === undefined) throw refused();
  return signed;
}

function refused(): ForbiddenException {
  return new ForbiddenException({
    statusCode: 403,
    message: 'This URL is not valid, or not any more.',
    error: 'Forbidden',
    code: 'INVALID_SIGNED_URL',
  });
}

/** @throws ConfigurationError */
export function routeOf(path: unknown = DEFAULT_PATH): string {
  const trimmed = typeof path === 'string' ? path.replace(/^\/|\/$/g, '') : '';
  if (!/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.~-]+(?:\/[\w.~-]+)*$/.test(trimmed)) {
    throw new ConfigurationError(
      "serve.path must be a path of letters, digits and ._~-, such as 'storage' or 'public/files'.",
    );
  }
  return trimmed;
}

/** @throws ConfigurationError */
function baseUrlOf(given: unknown): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    /[?#]/.test(url.href) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new ConfigurationError(
      "serve.baseUrl must be the address under which clients reach the application, such as 'https://api.example.com', without a query.",
    );
  }
  return url.href.replace(/\/$/, '');
}

function usedUrlsOf(given: ServeSettings['usedUrls'], registry: StorageRegistry): UsedUrls | undefined {
  if (given === undefined) return undefined;
  const { storage, prefix = 'used-urls/' } = given;
  if (typeof (storage as unknown) !== 'string' || typeof (prefix as unknown) !== 'string') {
    throw new ConfigurationError("serve.usedUrls must be { storage: 'the name of a storage', prefix? }.");
  }
  if (prefix !== '' && sanitizeKey(prefix) !== prefix.replace(/\/$/, '')) {
    throw new ConfigurationError("serve.usedUrls.prefix must be canonical, as a key is, such as 'used-urls/'.");
  }
  return new UsedUrls(() => registry.get(storage), prefix);
}

function checkNames(storages: unknown): void {
  if (storages === undefined || (Array.isArray(storages) && storages.every((name) => typeof name === 'string'))) return;
  throw new ConfigurationError('serve.storages must be an array of the names of storages.');
}
