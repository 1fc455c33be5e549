import { afterAll, describe, it } from '@jest/globals';
import { FakeStorage, storageConformance } from 'nestjs-storages/testing';

// the storage that tests of an application use, held to the contract of those that it stands in for
storageConformance({
  name: 'FakeStorage',
  capabilities: new FakeStorage().capabilities,
  create: (options) => {
    const storage = new FakeStorage({ ...options });
    return Promise.resolve({ storage, close: () => storage.close() });
  },
  runner: { describe, it, afterAll },
});
