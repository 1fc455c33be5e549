import { Storage } from '../contract/index.js';

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
  return name === undefined ? Storage : `Storage:${name}`;
}
