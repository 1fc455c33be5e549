import {
  BaseStorage,
  registerName,
  type Storage,
  type Capabilities,
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
} from '../../contract/index.js';
import { innerStorage } from '../../contract/base/storage-changes.js';
import { discardSource } from '../../contract/source/index.js';
import { withSteps } from '../staged-steps.js';
import type { Fault, FaultyMethod, ListingMethod } from './fault.js';
import { FaultPlan } from './fault-plan.js';
import { endingEarly, readThrough, sourceThrough } from './faulty-transfer.js';
import { strike } from './strike.js';

/** What becomes of a call's parts when a fault ends it. */
interface CallParts<T> {
  readonly signal?: AbortSignal | undefined;
  /** The call never began: its source goes. */
  readonly discard?: () => unknown;
  /** The call was done, and its caller does not get what it opened. */
  readonly undo?: (result: T) => unknown;
}

/**
 * A storage that does what another one does, and goes wrong where a test says so: at the nth call of a method, at the nth byte of a
 * source or of what is read, at the nth item of a listing, at the commit or the abort of a staged file. Nothing in it waits for a
 * clock. With no fault set it is the storage it wraps.
 *
 * @example
 * const faulty = new FaultyStorage(new MemoryStorage());
 * faulty.fail('put', { on: 2, error: new QuotaExceededError('The disk is full.') });
 * faulty.failReading('get', { afterBytes: 10 });
 * const gate = faulty.hold('commit');
 */
export class FaultyStorage extends FaultPlan {
  readonly #inner: Storage;

  constructor(inner: Storage) {
    super();
    this.#inner = inner;
  }

  get capabilities(): Capabilities {
    return this.#inner.capabilities;
  }

  // -------------------------------------------------------------------------------------------------------------- methods

  /** Connects the storage, where it has something to connect to. */
  open(): Promise<void> {
    return this.#call('open', undefined, {}, async () => {
      if (this.#inner instanceof BaseStorage) await this.#inner.open();
    });
  }

  /** @internal */
  get [innerStorage](): Storage {
    return this.#inner;
  }

  /** @internal */
  [registerName](name: string): void {
    if (this.#inner instanceof BaseStorage) this.#inner[registerName](name);
  }

  put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    return this.#call('put', key, sourceParts(data, options), (faults) =>
      this.#inner.put(key, sourceThrough(data, faults, options?.signal), heedless(options, faults)),
    );
  }

  async stage(key: string, data: StorageData, options?: StageOptions): Promise<StagedFile> {
    const parts = { ...sourceParts(data, options), undo: (staged: StagedFile) => staged.abort() };
    const staged = await this.#call('stage', key, parts, (faults) =>
      this.#inner.stage(key, sourceThrough(data, faults, options?.signal), heedless(options, faults)),
    );
    return withSteps(staged, {
      // a commit that fails leaves no trace
      commit: (next) => this.#call('commit', key, { discard: () => staged.abort() }, next),
      abort: (next) => this.#call('abort', key, {}, next),
    });
  }

  get(key: string, options?: GetOptions): Promise<StoredFileStream> {
    const undo = (stream: StoredFileStream): unknown => stream.destroy();
    return this.#call('get', key, { signal: options?.signal, undo }, async (faults) =>
      readThrough(await this.#inner.get(key, heedless(options, faults)), faults, options?.signal),
    );
  }

  getBytes(key: string, options?: GetOptions): Promise<Buffer> {
    return this.#call('getBytes', key, options, async (faults) =>
      endingEarly(await this.#inner.getBytes(key, heedless(options, faults)), faults, options?.signal),
    );
  }

  info(key: string, options?: SignalOptions): Promise<StoredFile> {
    return this.#call('info', key, options, (faults) => this.#inner.info(key, heedless(options, faults)));
  }

  exists(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#call('exists', key, options, (faults) => this.#inner.exists(key, heedless(options, faults)));
  }

  delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#call('delete', key, options, (faults) => this.#inner.delete(key, heedless(options, faults)));
  }

  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<DeleteReport> {
    return this.#call('deleteMany', undefined, options, (faults) =>
      this.#inner.deleteMany(keys, heedless(options, faults)),
    );
  }

  deletePrefix(prefix: string, options?: DeletePrefixOptions): Promise<DeleteReport> {
    return this.#call('deletePrefix', prefix, options, (faults) =>
      this.#inner.deletePrefix(prefix, heedless(options, faults)),
    );
  }

  list(prefix?: string, options?: ListOptions): AsyncIterable<StoredFile> {
    return this.#listing('list', prefix, options, this.#inner.list(prefix, options));
  }

  listEntries(prefix?: string, options?: ListEntriesOptions): AsyncIterable<ListEntry> {
    return this.#listing('listEntries', prefix, options, this.#inner.listEntries(prefix, options));
  }

  copy(source: string, destination: string, options?: CopyOptions): Promise<StoredFile> {
    return this.#call('copy', source, options, (faults) =>
      this.#inner.copy(source, destination, heedless(options, faults)),
    );
  }

  move(source: string, destination: string, options?: MoveOptions): Promise<StoredFile> {
    return this.#call('move', source, options, (faults) =>
      this.#inner.move(source, destination, heedless(options, faults)),
    );
  }

  url(key: string, options?: UrlOptions): Promise<string> {
    return this.#call('url', key, options, (faults) => this.#inner.url(key, heedless(options, faults)));
  }

  uploadUrl(key: string, options: UploadUrlOptions): Promise<SignedUpload> {
    return this.#call('uploadUrl', key, options, (faults) => this.#inner.uploadUrl(key, heedless(options, faults)));
  }

  close(): Promise<void> {
    return this.#call('close', undefined, {}, () => this.#inner.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // -------------------------------------------------------------------------------------------------------------- private

  async #call<T>(
    method: FaultyMethod,
    key: string | undefined,
    parts: CallParts<T> | undefined,
    work: (faults: readonly Fault[]) => Promise<T>,
  ): Promise<T> {
    const faults = this.select(method, key);
    const atCall = faults.filter((fault) => fault.after === undefined);
    try {
      for (const fault of atCall) if (fault.when === 'before') await strike(fault, parts?.signal);
    } catch (error) {
      await parts?.discard?.();
      throw error;
    }
    const result = await work(faults);
    try {
      for (const fault of atCall) if (fault.when === 'after') await strike(fault, parts?.signal);
    } catch (error) {
      await parts?.undo?.(result);
      throw error;
    }
    return result;
  }

  #listing<T>(
    method: ListingMethod,
    prefix: string | undefined,
    options: SignalOptions | undefined,
    items: AsyncIterable<T>,
  ): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => this.#steps(method, prefix, options?.signal, items) };
  }

  async *#steps<T>(
    method: ListingMethod,
    prefix: string | undefined,
    signal: AbortSignal | undefined,
    items: AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const faults = this.select(method, prefix ?? '');
    for (const fault of faults) if (fault.after === undefined && fault.when === 'before') await strike(fault, signal);
    let passed = 0;
    const reached = (fault: Fault): boolean => fault.after === passed;
    for await (const item of items) {
      for (const fault of faults.filter(reached)) if ((await strike(fault, signal)) === 'end') return;
      passed++;
      yield item;
    }
    for (const fault of faults) if (reached(fault) || fault.when === 'after') await strike(fault, signal);
  }
}

function sourceParts(
  data: StorageData,
  options: SignalOptions | undefined,
): Pick<CallParts<unknown>, 'signal' | 'discard'> {
  return {
    signal: options?.signal,
    discard: () => {
      discardSource(data, undefined);
    },
  };
}

/** The options without their signal, where the call is not to heed it. */
function heedless<O extends SignalOptions | undefined>(options: O, faults: readonly Fault[]): O {
  return faults.some(({ effect }) => effect.kind === 'settle-after-abort')
    ? { ...options, signal: undefined }
    : options;
}
