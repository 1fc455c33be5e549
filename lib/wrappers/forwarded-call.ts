import type { Readable } from 'node:stream';
import type { SignalOptions, StorageOperation } from '../contract/index.js';

/** What a wrapper asks of its inner storage. `deletePrefix` is a listing and deletions by `deleteMany`. */
export type ForwardedOperation = Exclude<StorageOperation, 'deletePrefix'>;

/** One call of the inner storage that is about to be made. */
export interface ForwardedCall<T, O extends SignalOptions = SignalOptions> {
  readonly operation: ForwardedOperation;
  /** The wrapper's own keys. */
  readonly keys: readonly string[];
  readonly options: O;
  /** The stream that a `put` or `stage` reads, which can be read only once. There is none where the whole body is in memory. */
  readonly source?: Readable;
  /** What becomes of a result that comes when nobody waits for it any more. */
  readonly discard?: (late: T) => unknown;
}

/** One listing of the inner storage. */
export interface ForwardedListing<T, O> {
  /** Asks the inner storage, with the wrapper's own `startAfter`. */
  readonly open: (options: O) => AsyncIterable<T>;
  /** An item as the wrapper's callers see it. */
  readonly own: (item: T) => T;
  /** The key or prefix of an item of the wrapper's own, behind which a listing can be begun again. */
  readonly placeOf: (item: T) => string;
}
