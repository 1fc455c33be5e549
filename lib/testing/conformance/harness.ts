import type { Capabilities, KeyMode, Storage } from '../../contract/index.js';

/** What a check may ask of a new storage. */
export interface CreateOptions {
  /** The key mode to open it with. A harness passes it on to the constructor of its storage. */
  readonly keys?: KeyMode | undefined;
}

export interface OpenedStorage {
  readonly storage: Storage;
  /** Closes the storage and removes what it kept: folder, bucket, table. Called once. */
  close(): Promise<void>;
}

/** Sizes and counts of the larger checks. A slow backend lowers them; no check is left out for it. */
export interface ConformanceLimits {
  /** Objects in the listing that must not grow with them. Default 5,000. */
  readonly manyKeys: number;
  /** How many keys `deleteMany` is given at once, one check each. Default 0, 1, 1,000, 1,001 and 2,500. */
  readonly deleteCounts: readonly number[];
  /** Bytes of the object that is larger than any one buffer. Default 8 MiB. */
  readonly largeObject: number;
  /** Bytes of the object that must pass in bounded memory. Default 256 MiB. Only for storages that are persistent. */
  readonly memoryObject: number;
  /** Bytes that may be alive at once while that object passes, above what was alive before. Default 48 MiB. */
  readonly memoryBound: number;
  /** Sizes in bytes around the borders of a backend's own pieces (part, chunk, slice). Default around 64 KiB and 256 KiB. */
  readonly borderSizes: readonly number[];
  /** Writers that race for one key. Default 50. */
  readonly racers: number;
  /** Random keys of the property check. Default 100. */
  readonly randomKeys: number;
  /** Milliseconds after which a check counts as hanging, and so does the closing of its storage. Default 20,000. */
  readonly timeout: number;
}

/** `describe` and `it` of Jest, Vitest or node:test. */
export interface ConformanceRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>, timeoutMilliseconds?: number): unknown;
  /** Where there is one (`afterAll` of Jest and Vitest, `after` of node:test), storages are closed there too when single checks are picked. */
  afterAll?(body: () => Promise<void>): unknown;
}

/** What the suite has to know of a storage to check it. */
export interface ConformanceHarness<O extends OpenedStorage = OpenedStorage> {
  /** Names the storage in the suite's output. */
  readonly name: string;
  /** Opens a new and empty storage. Checks that need no storage of their own share one, each under a prefix of its own. */
  create(options?: CreateOptions): Promise<O>;
  /** Closes the storage and opens the same store again. Needed where `persistent` is declared. The first `close` is then not called. */
  reopen?(opened: O): Promise<O>;
  /** What the storage is expected to declare: the suite compares. */
  readonly capabilities: Capabilities;
  /** Names what the storage has not cleaned up: temporary files, open multipart uploads. Descriptors are counted by the suite. */
  leftovers?(storage: Storage): Promise<readonly string[]>;
  /** Follows the URLs that the storage gives. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  readonly limits?: Partial<ConformanceLimits>;
  /** What no message may show, beside the working directory and the folder for temporary files: a root path, a credential. */
  readonly secrets?: readonly string[];
  /** Of the random numbers, to repeat a failure: it stands in the failure's message. */
  readonly seed?: number;
}

/** A harness that is also told how checks are registered. */
export interface RegisteredHarness<O extends OpenedStorage = OpenedStorage> extends ConformanceHarness<O> {
  readonly runner: ConformanceRunner;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: ConformanceLimits = Object.freeze({
  manyKeys: 5000,
  deleteCounts: [0, 1, 1000, 1001, 2500],
  largeObject: 8 * MIB,
  memoryObject: 256 * MIB,
  memoryBound: 48 * MIB,
  borderSizes: [65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 524_288],
  racers: 50,
  randomKeys: 100,
  timeout: 20_000,
});
