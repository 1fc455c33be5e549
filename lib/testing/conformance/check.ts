import type { Capabilities, Storage, StorageError, StorageErrorCode, StorageOperation } from '../../contract/index.js';
import type { ConformanceLimits, CreateOptions } from './harness.js';
import type { Random } from './sources/random.js';

/** What a check may need to be declared. A check whose need is not met is replaced by those that prove the refusal. */
export type Need =
  | 'createOnly'
  | 'compareAndSwap'
  | 'conditionalCopy'
  | 'etagCoversAttributes'
  | 'persistent'
  | 'pseudoUrls'
  | 'workingUrls'
  | 'signedUrls'
  | 'uploadUrls';

/** One thing that must hold. */
export interface Check {
  /** The sentence of the contract it belongs to, as it stands in `lib/contract/storage.ts`, without its full stop. */
  readonly promise: string;
  /** A sentence of its own. */
  readonly name: string;
  readonly needs?: Need;
  /** The check gets an empty storage of its own, opened with these options, instead of a prefix of the shared one. */
  readonly fresh?: true | CreateOptions;
  /** Times the usual time-out. */
  readonly patience?: number;
  run(context: CheckContext): Promise<void>;
}

export type CheckBody = Omit<Check, 'promise'>;

/** What an error is expected to say. */
export interface ExpectedError {
  readonly operation?: StorageOperation;
  readonly key?: string;
}

/** What a check works with. */
export interface CheckContext {
  readonly storage: Storage;
  /** Every key of this check begins with it; empty where the storage is fresh. */
  readonly prefix: string;
  readonly capabilities: Capabilities;
  readonly limits: ConformanceLimits;
  readonly random: Random;
  readonly fetch: typeof fetch;
  /** What no message may show. */
  readonly secrets: readonly string[];
  /** A key of this check's own. */
  readonly key: (name: string) => string;
  /** An empty storage, closed when the check has ended. */
  create(options?: CreateOptions): Promise<Storage>;
  /** Closes the check's own fresh storage and opens the same store again. */
  reopen(): Promise<Storage>;
  /** Awaits a rejection, and checks everything that is promised of an error. */
  rejects(promise: Promise<unknown>, code: StorageErrorCode, expected?: ExpectedError): Promise<StorageError>;
  /** Holds a value to what is promised of an error. */
  expectError(error: unknown, code: StorageErrorCode, expected?: ExpectedError): StorageError;
  /** Asserts that nothing has been left behind since the check began: temporaries, open uploads. */
  expectNoLeftovers(): Promise<void>;
}

/** The checks of one promise. */
export function promise(sentence: string, ...bodies: readonly (CheckBody | readonly CheckBody[])[]): readonly Check[] {
  return bodies.flat().map((body) => ({ ...body, promise: sentence }));
}
