import { afterAll, describe, it } from '@jest/globals';
import { defineCapabilities, MemoryStorage } from 'nestjs-storages';
import { storageConformance, type CreateOptions, type OpenedStorage } from 'nestjs-storages/testing';

const capabilities = new MemoryStorage().capabilities;

const create = (options?: CreateOptions): Promise<OpenedStorage> => {
  const storage = new MemoryStorage(options);
  return Promise.resolve({ storage, close: () => storage.close() });
};

storageConformance({ name: 'MemoryStorage', capabilities, create, runner: { describe, it, afterAll } });

/** The same storage, which declares nothing that can be left out: so every refusal is checked. */
class BareStorage extends MemoryStorage {
  override readonly capabilities = defineCapabilities({ stage: 'native' });
}

storageConformance({
  name: 'a storage that declares nothing',
  capabilities: defineCapabilities({ stage: 'native' }),
  create: (options) => {
    const storage = new BareStorage(options);
    return Promise.resolve({ storage, close: () => storage.close() });
  },
  runner: { describe, it, afterAll },
});
