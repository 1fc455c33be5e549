import { Storage } from '../contract/index.js';

const PREFIX = 'Storage:';

/**
 * The injection token of a named storage; without a name, that of the default storage, which is the class `Storage` itself.
 *
 * @example
 * { provide: Thumbnails, useFactory: (storage: Storage) => new Thumbnails(storage), inject: [getStorageToken('avatars')] }
 */
export function getStorageToken(name: string): string;
export function getStorageToken(name?: undefined): typeof Storage;
export function getStorageToken(name?: string): string | typeof Storage;
export function getStorageToken(name?: string): string | typeof Storage {
  return name === undefined ? Storage : `${PREFIX}${name}`;
}

/** The name that a token of {@link getStorageToken} stands for; `undefined` for any other token, the default storage's too. */
export function nameOfStorageToken(token: unknown): string | undefined {
  return typeof token === 'string' && token.startsWith(PREFIX) ? token.slice(PREFIX.length) : undefined;
}
