import type { Capabilities } from './capabilities.js';
import type {
  CopyOptions,
  DeleteOptions,
  DeletePrefixOptions,
  GetOptions,
  ListEntriesOptions,
  ListOptions,
  MoveOptions,
  PutOptions,
  SignalOptions,
  StageOptions,
  StorageData,
  UploadUrlOptions,
  UrlOptions,
} from './options/options.js';
import type { DeleteReport, ListEntry, SignedUpload, StagedFile, StoredFile, StoredFileStream } from './stored-file.js';

/**
 * A file storage: named objects with their attributes, and the promises below, the same on every backend.
 *
 * It is a type, the injection token of the default storage, and a protocol: whatever has these methods is a storage
 * (see {@link isStorage}). Implementers extend `BaseStorage`. Each bullet is one promise, and the conformance suite of
 * `nestjs-storages/testing` groups its checks under the very same sentences.
 *
 * Every storage, whatever the method:
 * - A key is made canonical, and every canonical key is an object of its own.
 * - A key that breaks a rule is refused with an InvalidKeyError that names the rule.
 * - Options that cannot be meant are refused with an InvalidArgumentError before any I/O.
 * - What the capabilities do not declare is refused with an UnsupportedOperationError before any I/O.
 * - Every error is a StorageError with code, operation, storage, key and cause, and shows no path of the machine.
 * - A signal aborts a call, and its listeners are gone when the call has settled.
 */
export abstract class Storage {
  /** What this storage can do, and its limits. */
  abstract readonly capabilities: Capabilities;

  /**
   * Stores an object, and resolves once it is stored.
   *
   * - put takes every kind of body, of any length, known or unknown.
   * - put replaces an object, its bytes and its attributes, wholly.
   * - put returns what info then returns.
   * - put keeps content type, metadata and headers as they were given.
   * - put is all or nothing: a failure leaves the old object intact and no trace of the new one.
   * - put refuses a body that does not match its declared size or checksum.
   * - put with a condition is decided at the commit, by one winner.
   * - put reads a source once, destroys it on failure, and holds only a bounded part of it in memory.
   * - put reports progress that never falls and ends at the size.
   * - put that was acknowledged is there after reopening.
   *
   * @throws {@link SourceError} when the source fails or breaks off, {@link IntegrityError}, {@link QuotaExceededError},
   *   {@link FileExistsError} and {@link PreconditionFailedError} for conditions.
   * @example
   * const file = await storage.put('avatars/ada.png', request, { contentType: 'image/png', ifNoneMatch: '*' });
   */
  abstract put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile>;

  /**
   * `put` in two steps: takes, checks and makes safe all bytes, and leaves the last short step to the caller.
   *
   * - stage shows nothing until commit, which shows all.
   * - stage that is aborted leaves no trace and harms nothing.
   * - stage decides its conditions at the commit.
   */
  abstract stage(key: string, data: StorageData, options?: StageOptions): Promise<StagedFile>;

  /**
   * Opens an object for reading.
   *
   * - get rejects at the call, before a byte, when there is no object.
   * - get reads the snapshot it opened, whatever happens to the key meanwhile.
   * - get releases its source at once on break, destroy and abort, and an unread stream harms nobody.
   * - get reads ahead only a bounded part.
   * - get with a range reads exactly that part, clamped to the end.
   * - get refuses a range that starts past the end, and says the size.
   * - get with a condition reads only the version that was meant.
   *
   * @example
   * await pipeline(await storage.get('avatars/ada.png'), response);
   */
  abstract get(key: string, options?: GetOptions): Promise<StoredFileStream>;

  /**
   * The whole object, or a range of it, in memory.
   *
   * - getBytes gives the same bytes as get.
   */
  abstract getBytes(key: string, options?: GetOptions): Promise<Buffer>;

  /**
   * What is known of an object, without its bytes.
   *
   * - info has every field, and its etag and date tell versions apart.
   */
  abstract info(key: string, options?: SignalOptions): Promise<StoredFile>;

  /**
   * - exists is true for an object and false only when there is none.
   */
  abstract exists(key: string, options?: SignalOptions): Promise<boolean>;

  /**
   * Removes one object.
   *
   * - delete removes exactly one object.
   * - delete of a missing key is a FileNotFoundError unless forced.
   * - delete with a condition removes only the version that was meant.
   */
  abstract delete(key: string, options?: DeleteOptions): Promise<void>;

  /**
   * - deleteMany gives a result for each key, and a missing key counts as deleted.
   */
  abstract deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<DeleteReport>;

  /**
   * Removes every object whose key begins with the prefix. The empty prefix needs `{ all: true }`.
   *
   * - deletePrefix removes what begins with the prefix and nothing else.
   */
  abstract deletePrefix(prefix: string, options?: DeletePrefixOptions): Promise<DeleteReport>;

  /**
   * Every object whose key begins with the prefix (default: every object).
   *
   * - list takes a prefix as a plain string, in which no character has a meaning.
   * - list is in UTF-8 byte order, each object once.
   * - list honours limit and startAfter.
   * - list does not grow with the number of keys, and ends when it is left.
   * - list is safe beside writes and deletes.
   *
   * @example
   * for await (const file of storage.list('avatars/')) console.log(file.key, file.size);
   */
  abstract list(prefix?: string, options?: ListOptions): AsyncIterable<StoredFile>;

  /**
   * One level, as a folder is shown: objects, and each longer prefix once.
   *
   * - listEntries shows one level, files and prefixes in one byte order.
   */
  abstract listEntries(prefix?: string, options?: ListEntriesOptions): AsyncIterable<ListEntry>;

  /**
   * Copies an object with its attributes. Onto itself it is a no-op.
   *
   * - copy takes bytes and attributes along and leaves an independent object.
   * - copy and move name a missing source and leave the destination untouched.
   * - copy and move onto itself keep the object.
   * - copy and move with a condition create only.
   */
  abstract copy(source: string, destination: string, options?: CopyOptions): Promise<StoredFile>;

  /**
   * Copies, then removes the source, which stays until the destination is committed. Onto itself it is a no-op.
   *
   * - move removes the source only after the destination is committed.
   * - move has one winner when several race for one source.
   */
  abstract move(source: string, destination: string, options?: MoveOptions): Promise<StoredFile>;

  /**
   * A URL of the object: a working one where the storage can give one (`capabilities.urls`), else a pseudo-URL such as
   * `memory:///a/b.txt`. It never holds a path of the machine. The object need not exist.
   *
   * - url is what the capabilities say, for every key.
   */
  abstract url(key: string, options?: UrlOptions): Promise<string>;

  /**
   * A request with which a client puts one object by itself. Needs `capabilities.uploadUrls`.
   *
   * - uploadUrl works where it is declared and binds what it was given.
   */
  abstract uploadUrl(key: string, options: UploadUrlOptions): Promise<SignedUpload>;

  /**
   * Lets calls in flight settle, then releases everything: streams that are still open fail with a `StorageClosedError`, what is
   * staged and not committed is removed.
   *
   * - close may be called twice, lets work in flight settle, and later calls are refused.
   */
  abstract close(): Promise<void>;

  abstract [Symbol.asyncDispose](): Promise<void>;
}

const METHODS = [
  'put',
  'stage',
  'get',
  'getBytes',
  'info',
  'exists',
  'delete',
  'deleteMany',
  'deletePrefix',
  'list',
  'listEntries',
  'copy',
  'move',
  'url',
  'uploadUrl',
  'close',
  Symbol.asyncDispose,
] as const satisfies readonly (keyof Storage)[];

/**
 * Whether a value has what makes a storage: every method of {@link Storage}, and `capabilities`. It need not extend the class.
 *
 * @example
 * if (!isStorage(value)) throw new ConfigurationError('uploads: expected a storage');
 */
export function isStorage(value: unknown): value is Storage {
  if (typeof value !== 'object' || value === null) return false;
  const candidate = value as Partial<Record<keyof Storage, unknown>>;
  return (
    METHODS.every((method) => typeof candidate[method] === 'function') &&
    typeof candidate.capabilities === 'object' &&
    candidate.capabilities !== null
  );
}
