import {
  Storage,
  type Capabilities,
  type ReadOnlyStorage,
  type CopyOptions,
  type DeleteOptions,
  type DeletePrefixOptions,
  type DeleteReport,
  type GetOptions,
  type ListEntriesOptions,
  type ListEntry,
  type ListOptions,
  type MoveOptions,
  type PutOptions,
  type SignalOptions,
  type SignedUpload,
  type StagedFile,
  type StageOptions,
  type StorageData,
  type StoredFile,
  type StoredFileStream,
  type UploadUrlOptions,
  type UrlOptions,
} from 'nestjs-storages';

/** Reads through a read-only storage, and writes to the one that it was made of: so the suite has something to read. */
export class WrittenBeside extends Storage {
  readonly #reader: ReadOnlyStorage;
  readonly #writer: Storage;

  constructor(reader: ReadOnlyStorage, writer: Storage) {
    super();
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Conditions are the writer's. */
  get capabilities(): Capabilities {
    return this.#writer.capabilities;
  }

  put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    return this.#writer.put(key, data, options);
  }

  stage(key: string, data: StorageData, options?: StageOptions): Promise<StagedFile> {
    return this.#writer.stage(key, data, options);
  }

  get(key: string, options?: GetOptions): Promise<StoredFileStream> {
    return this.#reader.get(key, options);
  }

  getBytes(key: string, options?: GetOptions): Promise<Buffer> {
    return this.#reader.getBytes(key, options);
  }

  info(key: string, options?: SignalOptions): Promise<StoredFile> {
    return this.#reader.info(key, options);
  }

  exists(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#reader.exists(key, options);
  }

  delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#writer.delete(key, options);
  }

  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<DeleteReport> {
    return this.#writer.deleteMany(keys, options);
  }

  deletePrefix(prefix: string, options?: DeletePrefixOptions): Promise<DeleteReport> {
    return this.#writer.deletePrefix(prefix, options);
  }

  list(prefix?: string, options?: ListOptions): AsyncIterable<StoredFile> {
    return this.#reader.list(prefix, options);
  }

  listEntries(prefix?: string, options?: ListEntriesOptions): AsyncIterable<ListEntry> {
    return this.#reader.listEntries(prefix, options);
  }

  copy(source: string, destination: string, options?: CopyOptions): Promise<StoredFile> {
    return this.#writer.copy(source, destination, options);
  }

  move(source: string, destination: string, options?: MoveOptions): Promise<StoredFile> {
    return this.#writer.move(source, destination, options);
  }

  url(key: string, options?: UrlOptions): Promise<string> {
    return this.#reader.url(key, options);
  }

  uploadUrl(key: string, options: UploadUrlOptions): Promise<SignedUpload> {
    return this.#writer.uploadUrl(key, options);
  }

  async close(): Promise<void> {
    await this.#reader.close();
    // the reader closes only what it has opened
    await this.#writer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
