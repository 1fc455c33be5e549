// #region conformance
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { storageConformance, type CreateOptions } from 'nestjs-storages/testing';
import { JournalStorage } from './custom-backend.js';

function open(folder: string, options?: CreateOptions) {
  const storage = new JournalStorage({ folder, ...options });
  const close = async (): Promise<void> => {
    await storage.close();
    await rm(folder, { recursive: true });
  };
  return { storage, folder, options, close };
}

storageConformance({
  name: 'JournalStorage',
  capabilities: new JournalStorage({ folder: '' }).capabilities,
  create: async (options) => open(await mkdtemp(join(tmpdir(), 'journal-')), options),
  reopen: async ({ storage, folder, options }) => {
    await storage.close();
    return open(folder, options);
  },
  runner: { describe, it, afterAll },
});
// #endregion
