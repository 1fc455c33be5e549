// #region suite
import { afterAll, describe, it } from '@jest/globals';
import { storageConformance } from 'nestjs-storages/testing';
import { ShelfStorage } from './staged-backend.js';

storageConformance({
  name: 'ShelfStorage',
  capabilities: new ShelfStorage().capabilities,
  create: (options) => {
    const storage = new ShelfStorage(options);
    return Promise.resolve({ storage, close: () => storage.close() });
  },
  // what a failed or aborted upload has left
  leftovers: (storage) =>
    Promise.resolve(storage instanceof ShelfStorage ? [...storage.staged].map(({ length }) => `${length} bytes`) : []),
  runner: { describe, it, afterAll },
});
// #endregion suite
