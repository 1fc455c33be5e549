import type { CrashStore } from './crash-store.js';
import { filesystemStore } from './filesystem-store.js';
import { sqliteStore } from './sqlite-store.js';

export { ERRNOS, type CrashStore, type Errno } from './crash-store.js';

export const STORES: readonly CrashStore[] = [sqliteStore, filesystemStore];

export function storeNamed(name: string | undefined): CrashStore {
  const store = STORES.find((candidate) => candidate.name === name);
  if (store === undefined)
    throw new Error(`There is no store ${name ?? ''}: ${STORES.map((each) => each.name).join(', ')}.`);
  return store;
}
