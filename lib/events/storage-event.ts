import type { StoredFile } from '../contract/index.js';

/** The events of a storage, each the past of what has been done: nothing can be prevented any more. */
export const STORAGE_EVENTS = ['committed', 'copied', 'moved', 'deleted'] as const;

export type StorageEventType = (typeof STORAGE_EVENTS)[number];

/** What all events have. */
export interface StorageChange {
  /** The registered name of the storage; the first one, where it has several. */
  readonly storage: string;
  /** The key that the change was about, as that storage has it. It may be a user's own word: think before you log it. */
  readonly key: string;
  /** When the call had succeeded. */
  readonly at: Date;
}

/** A file was stored: by `put`, by the commit of a staged file, by an upload that is kept. It may have replaced another one. */
export interface CommittedEvent extends StorageChange {
  readonly type: 'committed';
  readonly file: StoredFile;
}

/** A file was copied to `key`. */
export interface CopiedEvent extends StorageChange {
  readonly type: 'copied';
  /** The key of the source, which is still there. */
  readonly from: string;
  readonly file: StoredFile;
}

/** A file was moved to `key`. */
export interface MovedEvent extends StorageChange {
  readonly type: 'moved';
  /** Where it was before. */
  readonly from: string;
  readonly file: StoredFile;
}

/** There is no file under `key` any more. With `force`, and by `deleteMany`, there may have been none before. */
export interface DeletedEvent extends StorageChange {
  readonly type: 'deleted';
}

/**
 * What a listener of {@link OnStorageEvent} is given. Frozen, and shared by all listeners.
 *
 * @example
 * index(event: StorageEvent<'committed' | 'moved'>) {
 *   return this.search.add(event.key, event.file.size);
 * }
 */
export type StorageEvent<T extends StorageEventType = StorageEventType> = Extract<
  CommittedEvent | CopiedEvent | MovedEvent | DeletedEvent,
  { readonly type: T }
>;
