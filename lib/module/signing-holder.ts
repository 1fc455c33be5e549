import { ConfigurationError, signUrls, type BaseStorage, type Storage, type UrlSigner } from '../contract/index.js';
import type { SignedRoutes } from '../signing/signed-routes.js';

interface Attached {
  readonly holder: SigningHolder;
  readonly signer: UrlSigner;
}

/** Who signs for a storage: one that several applications share has a signer of each, and gives URLs of the last. */
const attached = new WeakMap<Storage, readonly Attached[]>();

/** Who signs URLs in an application, whichever registration says so. */
export class SigningHolder {
  #routes: SignedRoutes | undefined;

  /** @throws ConfigurationError when another registration signs already */
  give(routes: SignedRoutes): SignedRoutes {
    if (this.#routes !== undefined) {
      throw new ConfigurationError(
        "'serve' is given in two registrations of the StorageModule: give it in one of them.",
      );
    }
    this.#routes = routes;
    return routes;
  }

  /** Lets a storage give URLs. */
  attach(name: string, storage: Storage): void {
    if (this.#routes === undefined) return;
    const others = attached.get(storage) ?? [];
    const signsItself = others.length === 0 && storage.capabilities.urls === 'signed';
    const signer = this.#routes.signerFor(name, storage, signsItself);
    // its own methods give its URLs: nothing of it can be told what to sign
    if (signer === undefined || !(signUrls in storage)) return;
    give(storage, [...others, { holder: this, signer }]);
  }

  /** Takes away what {@link attach} gave, and nothing that another application has given. */
  detach(storage: Storage): void {
    const before = attached.get(storage) ?? [];
    const left = before.filter(({ holder }) => holder !== this);
    if (left.length < before.length) give(storage, left);
  }
}

function give(storage: Storage, signers: readonly Attached[]): void {
  attached.set(storage, signers);
  (storage as BaseStorage)[signUrls](signers.at(-1)?.signer);
}
