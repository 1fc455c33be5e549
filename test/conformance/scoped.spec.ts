import { afterAll, describe, it } from '@jest/globals';
import { MemoryStorage, ScopedStorage } from 'nestjs-storages';
import { storageConformance } from 'nestjs-storages/testing';

const PREFIX = 'tenants/7/files/';
const { capabilities } = new MemoryStorage();

storageConformance({
  name: 'ScopedStorage over MemoryStorage',
  capabilities: { ...capabilities, maxKeyBytes: capabilities.maxKeyBytes - PREFIX.length },
  create: async ({ keys } = {}) => {
    const inner = new MemoryStorage();
    // a stranger's objects around the view: none of them may be seen, counted or removed
    await inner.put('tenants/7/files', 'beside');
    await inner.put('tenants/7/files-b/a', 'after');
    await inner.put('tenants/6/files/a', 'before');
    const storage = new ScopedStorage(inner, PREFIX, { keys });
    return {
      storage,
      close: async () => {
        await storage.close();
        await inner.close();
      },
    };
  },
  runner: { describe, it, afterAll },
});
