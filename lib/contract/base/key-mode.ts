import type { KeyMode } from '../keys/index.js';
import { innerStorageOf } from './storage-changes.js';

const modes = new WeakMap<object, KeyMode>();

/** Notes what a storage does with keys that are not canonical, for those that are made of it. */
export function rememberKeyMode(storage: object, mode: KeyMode): void {
  modes.set(storage, mode);
}

/** What a storage does with keys that are not canonical, or the one that it was made of; `undefined` for one that says nothing of it. */
export function keyModeOf(storage: unknown): KeyMode | undefined {
  if (typeof storage !== 'object' || storage === null) return undefined;
  for (let each: object | undefined = storage; each !== undefined; each = innerStorageOf(each)) {
    const mode = modes.get(each);
    if (mode !== undefined) return mode;
  }
  return undefined;
}
