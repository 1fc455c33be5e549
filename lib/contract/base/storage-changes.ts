import type { ChangeHold } from '../options/change-hold.js';
import type { StoredFile } from '../stored-file.js';

/** What a call has changed in its storage, with that storage's own keys. */
export type StorageChange = { readonly at: Date; readonly key: string } & (
  | { readonly type: 'committed'; readonly file: StoredFile }
  | { readonly type: 'copied' | 'moved'; readonly from: string; readonly file: StoredFile }
  | { readonly type: 'deleted' }
);

/** Must not throw, and should do nothing but take note: it runs before the call's promise is settled. */
export type ChangeListener = (change: StorageChange) => void;

/** On a storage that is made of another one: that one. */
export const innerStorage: unique symbol = Symbol.for('nestjs-storages:inner-storage');

/** The storage that another one was made of, if it was. */
export function innerStorageOf(storage: object): object | undefined {
  const inner: unknown = (storage as { readonly [innerStorage]?: unknown })[innerStorage];
  return typeof inner === 'object' && inner !== null ? inner : undefined;
}

/** Of each storage itself, not of its name: applications of one process may have equal names. */
const listenersOf = new WeakMap<object, Set<ChangeListener>>();

/** How many listeners there are in this process: while there is none, a call costs one comparison more. */
let listening = 0;

/**
 * Calls back for every change that a call of this very storage has made.
 *
 * @returns a function that takes the listener off again
 */
export function hearChanges(storage: object, listener: ChangeListener): () => void {
  const listeners = listenersOf.get(storage) ?? new Set();
  listenersOf.set(storage, listeners);
  listeners.add(listener);
  listening++;
  return () => {
    if (listeners.delete(listener)) listening--;
  };
}

/** Whether anybody listens to any storage. */
export function changesAreHeard(): boolean {
  return listening > 0;
}

/**
 * Passes a call's promise on, and tells what it has changed once it has succeeded. A call that fails tells nothing.
 *
 * @param changesIn what is in the result
 * @param hold decides when, where a caller has given one
 */
export function telling<T>(
  storage: object,
  work: Promise<T>,
  changesIn: (result: T, at: Date) => readonly StorageChange[],
  hold?: ChangeHold,
): Promise<T> {
  const listeners = listening === 0 ? undefined : listenersOf.get(storage);
  if (listeners === undefined || listeners.size === 0) return work;
  return work.then((result) => {
    const changes = changesIn(result, new Date());
    const tell = (): void => {
      for (const change of changes) for (const listener of listeners) listener(change);
    };
    if (hold === undefined) tell();
    else hold.add(tell);
    return result;
  });
}

export function committed(file: StoredFile, at: Date): StorageChange[] {
  return [{ type: 'committed', key: file.key, file, at }];
}

export function deleted({ deleted: keys }: { readonly deleted: readonly string[] }, at: Date): StorageChange[] {
  return keys.map((key) => ({ type: 'deleted', key, at }));
}
