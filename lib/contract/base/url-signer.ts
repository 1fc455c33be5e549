import type { Capabilities } from '../capabilities.js';
import type { ResolvedUploadUrlOptions, ResolvedUrlOptions } from '../options/options.js';
import type { SignedUpload } from '../stored-file.js';

/** Signs URLs for a storage that signs none itself. */
export interface UrlSigner {
  /** Whether it takes `once`. */
  readonly oneTimeUrls: boolean;
  url(key: string, options: ResolvedUrlOptions): string;
  uploadUrl(key: string, options: ResolvedUploadUrlOptions): SignedUpload;
}

/** How the module gives a storage its signer. */
export const signUrls: unique symbol = Symbol.for('nestjs-storages:sign-urls');

interface Capable {
  readonly capabilities: Capabilities;
}

/** The signer of one storage, which shows in the storage's capabilities for as long as it is there. */
export class AttachedSigner {
  readonly signer: UrlSigner;
  /** What the storage can do without it. */
  readonly #own: () => Capabilities;
  readonly #restore: () => void;
  #seen: { readonly of: Capabilities; readonly signed: Capabilities } | undefined;

  /** @param uploads whether uploads are signed too */
  constructor(storage: Capable, signer: UrlSigner, uploads: boolean) {
    this.signer = signer;
    const declared = Object.getOwnPropertyDescriptor(storage, 'capabilities');
    this.#own = () =>
      declared === undefined
        ? (Reflect.get(Object.getPrototypeOf(storage) as object, 'capabilities', storage) as Capabilities)
        : ((declared.get?.call(storage) ?? declared.value) as Capabilities);
    this.#restore = () => {
      if (declared === undefined) Reflect.deleteProperty(storage, 'capabilities');
      else Object.defineProperty(storage, 'capabilities', declared);
    };
    Object.defineProperty(storage, 'capabilities', {
      configurable: true,
      enumerable: true,
      get: () => this.#capabilities(uploads),
    });
  }

  /** A storage may learn what it can do only once it is open. */
  #capabilities(uploads: boolean): Capabilities {
    const of = this.#own();
    if (this.#seen?.of !== of) {
      const { oneTimeUrls } = this.signer;
      this.#seen = { of, signed: Object.freeze({ ...of, urls: 'signed', uploadUrls: uploads, oneTimeUrls }) };
    }
    return this.#seen.signed;
  }

  /** What asks for nothing that expires is answered by a storage that has lasting URLs of its own. */
  signs({ expiresIn, disposition, contentType, once }: ResolvedUrlOptions): boolean {
    const plain = expiresIn === undefined && disposition === undefined && contentType === undefined && once !== true;
    return !plain || this.#own().urls !== 'public';
  }

  remove(): void {
    this.#restore();
  }
}
