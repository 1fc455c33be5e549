import {
  ConfigurationError,
  encodeKey,
  InvalidKeyError,
  sanitizeKey,
  StorageError,
  type Capabilities,
  type ResolvedUrlOptions,
  type Storage,
} from '../contract/index.js';
import { ForwardingStorage, type ForwardingStorageOptions } from './forwarding-storage.js';
import { restateError } from './restate-error.js';
import { checkFields } from './wrapper-options.js';

export type ScopedStorageOptions = Omit<ForwardingStorageOptions, 'owns'>;

/**
 * A view of the objects of another storage whose keys begin with a prefix. Callers see keys without it, in files and in errors, and no key
 * reaches what lies outside. It promises what the inner storage promises. The inner storage
 * belongs to whoever made it: a view neither opens nor closes it.
 *
 * @example
 * const avatars = new ScopedStorage(uploads, 'avatars/');
 * await avatars.put('ada.png', bytes); // avatars/ada.png in uploads
 */
export class ScopedStorage extends ForwardingStorage {
  readonly prefix: string;
  /** How a key of this view begins where a message of the inner storage quotes it. */
  readonly #quotedPrefix: string;

  /**
   * @param prefix canonical, as the part of a key before its last `/`; that `/` may be left out
   * @throws ConfigurationError for what is no storage or option, for a prefix that is empty, not canonical or leaves no room for a key
   */
  constructor(inner: Storage, prefix: string, options: ScopedStorageOptions = {}) {
    checkFields('ScopedStorage', options, ['name', 'keys']);
    super(inner, { ...options, owns: false });
    this.prefix = canonicalPrefix(prefix);
    this.#quotedPrefix = JSON.stringify(this.prefix).slice(0, -1);
    if (this.capabilities.maxKeyBytes < 1) {
      throw new ConfigurationError(
        `ScopedStorage: prefix must leave room for a key; the storage takes ${inner.capabilities.maxKeyBytes} bytes.`,
      );
    }
  }

  protected override _capabilitiesOver(inner: Capabilities): Capabilities {
    return Object.freeze({ ...inner, maxKeyBytes: inner.maxKeyBytes - Buffer.byteLength(this.prefix) });
  }

  protected override _innerKey(key: string): string {
    return this.prefix + key;
  }

  protected override _ownKey(innerKey: string): string {
    return innerKey.startsWith(this.prefix) ? innerKey.slice(this.prefix.length) : innerKey;
  }

  protected override async _url(key: string, options: ResolvedUrlOptions): Promise<string> {
    const url = await super._url(key, options);
    const innerPath = encodeKey(this._innerKey(key));
    // a pseudo-URL only names the object, so it does it as this view does; one that works must lead to where the object is
    const pseudo = this.capabilities.urls === 'none' && url.endsWith(innerPath);
    return pseudo ? url.slice(0, -innerPath.length) + encodeKey(key) : url;
  }

  /** With this view's keys too. */
  protected override _restated(error: unknown, keys: readonly string[]): StorageError {
    const restated = super._restated(error, keys);
    if (!(error instanceof StorageError)) return restated;
    // messages quote keys; a backend that does not is met by the keys of the call
    let message = error.message.replaceAll(this.#quotedPrefix, '"');
    for (const key of keys) message = message.replaceAll(this._innerKey(key), key);
    const key = error.key === undefined ? undefined : this._ownKey(error.key);
    return restateError(restated, { message, key });
  }
}

/** @throws ConfigurationError */
function canonicalPrefix(prefix: unknown): string {
  if (typeof prefix !== 'string' || prefix === '') {
    throw new ConfigurationError("ScopedStorage: prefix must be a text such as 'avatars/'.");
  }
  const folder = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  try {
    sanitizeKey(folder, { mode: 'strict' });
    return `${folder}/`;
  } catch (error) {
    if (!(error instanceof InvalidKeyError)) throw error;
    throw new ConfigurationError(
      `ScopedStorage: prefix must be canonical, as a key is, such as 'avatars/': ${JSON.stringify(prefix)} is not.`,
      { cause: error },
    );
  }
}
