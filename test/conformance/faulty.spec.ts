import { afterAll, describe, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-storages';
import { FaultyStorage, storageConformance } from 'nestjs-storages/testing';

// with no fault set it is the storage it wraps
storageConformance({
  name: 'FaultyStorage around a MemoryStorage',
  capabilities: new MemoryStorage().capabilities,
  create: (options) => {
    const storage = new FaultyStorage(new MemoryStorage(options));
    return Promise.resolve({ storage, close: () => storage.close() });
  },
  runner: { describe, it, afterAll },
});
