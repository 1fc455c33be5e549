import { ConfigurationError, isStorage, registerName, type BaseStorage, type Storage } from '../contract/index.js';

/** A storage that was given or made under a name, which it is told. */
export function nameStorage(name: string, value: unknown): Storage {
  const storage = requireStorage(name, value);
  if (registerName in storage) (storage as BaseStorage)[registerName](name);
  return storage;
}

/** @throws ConfigurationError that says the name and what there was instead of a storage */
export function requireStorage(name: string, value: unknown): Storage {
  if (!isStorage(value)) {
    throw new ConfigurationError(
      `The storage ${JSON.stringify(name)} must be a storage, that is, have every method of Storage ` +
        `(extend BaseStorage, or see isStorage): it is ${described(value)}.`,
      { storage: name },
    );
  }
  return value;
}

function described(value: unknown): string {
  if (typeof value === 'function') return `the function or class ${value.name === '' ? 'without a name' : value.name}`;
  if (typeof value !== 'object' || value === null) return String(value === null ? value : typeof value);
  const maker: unknown = (value as { constructor?: unknown }).constructor;
  return typeof maker === 'function' && maker !== Object ? `an object of the class ${maker.name}` : 'an object';
}
