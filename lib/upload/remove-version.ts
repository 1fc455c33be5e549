import { FileNotFoundError, PreconditionFailedError, type Storage, type StoredFile } from '../contract/index.js';
import { changeHold, type ChangeHold } from '../contract/options/change-hold.js';

/**
 * Removes a version that this process has just committed, and none that has replaced it since.
 *
 * @param hold decides whether listeners hear of it
 */
export async function removeVersion(
  storage: Storage,
  { key, etag }: StoredFile,
  hold: ChangeHold | undefined,
): Promise<void> {
  const quietly = { force: true, [changeHold]: hold } as const;
  try {
    if (storage.capabilities.compareAndSwap) {
      await storage.delete(key, { ifMatch: etag, ...quietly });
    } else if ((await storage.info(key)).etag === etag) {
      // not one step, and the best there is without a condition
      await storage.delete(key, quietly);
    }
  } catch (error) {
    if (error instanceof PreconditionFailedError || error instanceof FileNotFoundError) return;
    throw error;
  }
}
