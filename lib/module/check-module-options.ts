import { ConfigurationError } from '../contract/index.js';

// What TypeScript holds a caller to, said to those who write JavaScript or have cast: else they would read what fails below.

/** @throws ConfigurationError that shows the form */
export function checkStorages(storages: unknown): void {
  if (typeof storages === 'object' && storages !== null && !Array.isArray(storages)) return;
  throw new ConfigurationError(
    "StorageModule.forRoot() takes storages by their names: { storages: { uploads: new FileSystemStorage({ root: './var/uploads' }) } }.",
  );
}

/** @throws ConfigurationError that shows the form */
export function checkAnnounced(names: unknown): void {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return;
  throw new ConfigurationError(
    "StorageModule.forRootAsync() takes the names of what its factory will make, since others inject by them: { names: ['uploads'], useFactory: ... }.",
  );
}

/** @throws ConfigurationError that shows the form */
export function checkFeatures(features: unknown): void {
  if (Array.isArray(features)) return;
  throw new ConfigurationError(
    "StorageModule.forFeature() takes an array: [{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }].",
  );
}
