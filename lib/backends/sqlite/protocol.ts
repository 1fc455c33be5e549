/** What the storage and the threads of its database say to each other. */

/** How a thread opens its database. */
export interface ThreadSettings {
  /** `writer`: the one that changes. `reader`: only looks. `both`: for a database in memory, which one connection alone can see. */
  readonly role: 'writer' | 'reader' | 'both';
  /** Absolute, or `:memory:`. */
  readonly filename: string;
  /** The filename as it was given, which is all of it that a message shows. */
  readonly givenFilename: string;
  readonly tableName: string;
  readonly durable: boolean;
  /** Milliseconds. */
  readonly busyTimeout: number;
  readonly maxBytes: number | undefined;
  /** Told apart from every other storage that ever was open: 12 hex digits. */
  readonly instance: string;
}

/** What is known of an object without its bytes. */
export interface Head {
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** `FileAttributes` as JSON. */
  readonly attributes: string;
}

/** Where the bytes of an object lie: in its row, or in chunks under the number of a generation. */
export type Body =
  | { readonly bytes: Uint8Array; readonly generation?: undefined; readonly chunkSize?: undefined }
  | { readonly bytes?: undefined; readonly generation: number; readonly chunkSize: number };

/** What must hold when an object is changed. */
export interface Conditions {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
}

export interface Page {
  readonly from: string;
  /** Whether `from` itself may be listed. */
  readonly inclusive: boolean;
  /** The first key behind the prefix; `undefined` where there is none. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** Key, size, etag, modified and attributes. Without their names, which would cross with every row. */
export type ListedObject = readonly [string, number, string, number, string];

export interface ListedEntry {
  /** A key, or the name of a group. */
  readonly name: string;
  /** `undefined` for a group. */
  readonly head: Head | undefined;
}

/** One finding of a check. */
export interface CheckProblem {
  /**
   * `database`: SQLite itself finds the file damaged. `missing-chunks`: an object without some of its bytes. `orphaned-chunks`: bytes that
   * belong to nothing. `size`: an object whose bytes are more or less than it says. `checksum`: bytes that are not those that were stored.
   */
  readonly kind: 'database' | 'missing-chunks' | 'orphaned-chunks' | 'size' | 'checksum';
  /** Where it concerns an object. */
  readonly key?: string;
  readonly message: string;
}

/** Every call of a thread: what it is given, and what it answers. */
export interface Calls {
  /** `safe`: where its storage was open before, no reader of it began before this epoch. */
  /** `departed`: storages of this process that are closed and may still stand in the file. */
  open: {
    input: { readonly safe: number | undefined; readonly departed: readonly string[] };
    output: { readonly epoch: number };
  };
  close: { input: undefined; output: undefined };
  find: { input: { readonly key: string }; output: Head | undefined };
  read: {
    input: { readonly key: string };
    output: { readonly head: Head; readonly body: Body } | undefined;
  };
  /** The bytes of an object, where they lie in its row: `undefined` for a large one, and where there is none. */
  bytes: { input: { readonly key: string }; output: ArrayBuffer | undefined };
  chunk: { input: { readonly generation: number; readonly position: number }; output: Uint8Array | undefined };
  /**
   * @returns an array of `ListedObject` as JSON, which SQLite makes itself: rows as values cost three times as much to build, to clone for the
   * other thread and to take apart there
   */
  list: { input: Page; output: string };
  entries: {
    input: Page & { readonly prefix: string; readonly delimiter: string };
    output: readonly ListedEntry[];
  };
  put: {
    input: {
      readonly key: string;
      readonly attributes: string;
      readonly checksum: string | undefined;
      readonly bytes: Uint8Array;
    } & Conditions;
    output: Head;
  };
  /** Takes a chunk of an upload. The first one, without a generation, begins it. */
  write: {
    input: {
      readonly key: string;
      readonly generation: number | undefined;
      readonly position: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    };
    output: { readonly generation: number; readonly memory: ArrayBuffer };
  };
  /** Makes an upload the object of a key. */
  commit: {
    input: {
      readonly key: string;
      readonly attributes: string;
      readonly checksum: string | undefined;
      readonly generation: number;
      readonly size: number;
      readonly chunkSize: number;
      /** Whether the one chunk goes into the object's row. */
      readonly inline: boolean;
    } & Conditions;
    output: Head;
  };
  abort: { input: { readonly generation: number }; output: undefined };
  /** @returns whether there was an object */
  delete: { input: { readonly key: string; readonly ifMatch?: string }; output: boolean };
  deleteMany: { input: { readonly keys: readonly string[] }; output: undefined };
  copy: { input: { readonly source: string; readonly destination: string } & Conditions; output: Head };
  move: { input: { readonly source: string; readonly destination: string } & Conditions; output: Head };
  /** Gives back what nobody reads any more, a step at a time. `safe`: no reader of this storage began before this epoch. */
  sweep: {
    input: { readonly safe: number; readonly departed: readonly string[] };
    output: { readonly epoch: number; readonly left: boolean; readonly again: boolean };
  };
  /** A step of giving free pages back to the file system. */
  compact: { input: { readonly pages: number }; output: { readonly freed: number; readonly left: boolean } };
  truncate: { input: undefined; output: undefined };
  /** `given`: the destination as the caller wrote it, for messages. */
  backup: { input: { readonly destination: string; readonly given: string }; output: undefined };
  check: {
    input: undefined;
    output: { readonly objects: number; readonly bytes: number; readonly problems: readonly CheckProblem[] };
  };
}

export type CallName = keyof Calls;

export type Request = {
  readonly [Name in CallName]: { readonly id: number; readonly name: Name; readonly input: Calls[Name]['input'] };
}[CallName];

/** Why a change was refused; nothing was changed. */
export type Refusal = 'exists' | 'missing' | 'no-version' | 'other-version' | 'no-room' | 'upload-lost';

/** The file that a failure is about, where that is not the database. */
export interface Elsewhere {
  readonly path: string;
  /** For messages: as it was given, without the folders of this machine. */
  readonly given: string;
}

interface SQLiteFailure {
  readonly kind: 'sqlite';
  readonly code: string;
  readonly message: string;
  /** What the system says of it, where SQLite does not tell. */
  readonly errno?: string;
  readonly elsewhere?: Elsewhere;
}

interface SystemFailure {
  readonly kind: 'system';
  readonly errno: string;
  readonly message: string;
  readonly elsewhere?: Elsewhere;
}

/** A failure as it crosses from a thread. */
export type Failure =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'setting'; readonly message: string }
  | { readonly kind: 'denied'; readonly message: string }
  | SQLiteFailure
  | SystemFailure
  | { readonly kind: 'other'; readonly message: string; readonly stack: string };

export type Reply =
  | { readonly id: number; readonly output: unknown; readonly failure?: undefined }
  | { readonly id: number; readonly output?: undefined; readonly failure: Failure };

/** What a thread sends. */
export type ThreadMessage =
  | { readonly kind: 'replies'; readonly replies: readonly Reply[]; readonly epoch: number | undefined }
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number };
