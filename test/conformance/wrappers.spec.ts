import { afterAll, describe, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-storages';
import { storageConformance } from 'nestjs-storages/testing';
import { capabilitiesWithin, COMPOSED, WRAPPINGS } from '../wrappers/wrapped.js';

const { capabilities } = new MemoryStorage();

for (const wrapping of [...WRAPPINGS, COMPOSED]) {
  storageConformance({
    name: `${wrapping.name} over MemoryStorage`,
    capabilities: capabilitiesWithin(capabilities, wrapping),
    create: ({ keys } = {}) => {
      const inner = new MemoryStorage({ keys });
      const storage = wrapping.wrap(inner, keys);
      const close = async (): Promise<void> => {
        await storage.close();
        await inner.close();
      };
      return Promise.resolve({ storage, close });
    },
    runner: { describe, it, afterAll },
  });
}
