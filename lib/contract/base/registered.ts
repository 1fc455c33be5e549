import type { Storage } from '../storage.js';

const registered = new WeakSet<Storage>();

/** Notes that a module has this storage, and opens and closes it. */
export function noteRegistered(storage: Storage): void {
  registered.add(storage);
}

/** Whether a module has this storage: whoever wraps it leaves its opening and closing to that module. */
export function isRegistered(storage: Storage): boolean {
  return registered.has(storage);
}
