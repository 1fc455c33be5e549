import type { Storage } from '../../../contract/index.js';

/** Puts many small objects, some at a time. */
export async function putMany(storage: Storage, keys: readonly string[]): Promise<void> {
  const queue = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of queue) await storage.put(key, 'x');
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
