import { ConfigurationError } from '../contract/index.js';
import type { UploadDefaults } from '../upload/index.js';
import type { StorageRegistration } from './storage-registration.js';

/** The upload defaults of an application: one object, whichever registration gives them, and whoever injects them. */
export class UploadDefaultsHolder {
  readonly defaults: UploadDefaults = {};
  #giver: StorageRegistration | undefined;

  constructor(registrations: readonly StorageRegistration[]) {
    // at once: whoever is made before its forRoot() is reached finds them complete
    for (const registration of registrations) this.give(registration, registration.upload);
  }

  /** @throws ConfigurationError when another registration gave them before */
  give(giver: StorageRegistration, upload: UploadDefaults | undefined): void {
    if (upload === undefined || this.#giver === giver) return;
    if (this.#giver !== undefined) {
      throw new ConfigurationError(
        "'upload' is given in two registrations of the StorageModule: give it in one of them.",
      );
    }
    this.#giver = giver;
    Object.assign(this.defaults, upload);
  }
}
