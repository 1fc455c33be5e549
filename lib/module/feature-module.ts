import type { ModuleMetadata, Provider } from '@nestjs/common';
import type { Storage } from '../contract/index.js';
import { askForStorage, giveStorages } from '../registry/named-in-code.js';
import { getStorageToken } from '../registry/index.js';
import { ScopedStorage } from '../wrappers/index.js';
import { requireStorage } from './name-storage.js';
import { StorageCoreModule } from './storage-core.module.js';
import type { FeatureStorage, StorageView } from './storage-module-options.interface.js';
import { kept, madeStorage, storageProviders } from './storage-providers.js';
import { registrationProvider } from './storage-registration.js';

/** What `forFeature` gives to Nest, but for the module's class. */
export type FeatureMetadata = Required<Pick<ModuleMetadata, 'imports' | 'providers' | 'exports'>>;

export function featureMetadata(features: readonly FeatureStorage[]): FeatureMetadata {
  const names = features.map(({ name }) => name);
  giveStorages(names, false);
  return {
    imports: [
      StorageCoreModule,
      ...features.flatMap((feature) => ('imports' in feature ? (feature.imports ?? []) : [])),
    ],
    providers: [registrationProvider({ names, exceptionFilter: true }), ...features.flatMap(featureProviders)],
    exports: names.map((name) => getStorageToken(name)),
  };
}

function featureProviders(feature: FeatureStorage, index: number): Provider[] {
  if ('prefix' in feature) return viewProviders(feature, index);
  return storageProviders(feature.name, 'useValue' in feature ? feature.useValue : feature, index);
}

function viewProviders({ name, storage, prefix, keys }: StorageView, index: number): Provider[] {
  if (storage !== undefined) askForStorage(storage);
  const view = (inner: Storage): Storage => {
    return new ScopedStorage(requireStorage(storage ?? 'default', inner), prefix, { name, keys });
  };
  return [madeStorage(name, [getStorageToken(storage)], view), kept(name, index, [storage])];
}
