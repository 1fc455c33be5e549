import { Inject } from '@nestjs/common';
import { askForStorage } from './named-in-code.js';
import { getStorageToken } from './storage-token.js';

/**
 * Injects a storage by its name; without a name, the default one (which `constructor(private readonly storage: Storage)` gets too).
 *
 * @example
 * constructor(@InjectStorage('avatars') private readonly avatars: Storage) {}
 */
export function InjectStorage(name?: string): PropertyDecorator & ParameterDecorator {
  if (name !== undefined) askForStorage(name);
  return Inject(getStorageToken(name));
}
