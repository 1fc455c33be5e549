import type { Readable } from 'node:stream';
import {
  FileNotFoundError,
  type DeleteOutcome,
  type ResolvedGetOptions,
  type SignalOptions,
  type Storage,
  type StoredFileStream,
} from '../contract/index.js';
import type { ForwardedCall, ForwardedListing, ForwardedOperation } from './forwarded-call.js';
import { ForwardingStorage } from './forwarding-storage.js';
import { ResumingStream } from './resuming-stream.js';
import { RetryPolicy, type RetryingStorageOptions } from './retry-policy.js';
import { Tries } from './tries.js';

export type { RetryingStorageOptions } from './retry-policy.js';

/**
 * What may be done twice. `unconditional`: the first try may have been done and only its answer lost, and a condition that it has
 * changed itself would make a failure of that. `in-parts`: what is left is tried, not the whole. Every operation is decided: one that the
 * contract gains must be too.
 */
const REPEATS = {
  open: 'always',
  put: 'unconditional',
  // nothing of it is seen before the commit, which decides the conditions
  stage: 'always',
  commit: 'never',
  abort: 'always',
  get: 'always',
  getBytes: 'always',
  info: 'always',
  exists: 'always',
  delete: 'unconditional',
  deleteMany: 'in-parts',
  list: 'in-parts',
  listEntries: 'in-parts',
  copy: 'unconditional',
  move: 'unconditional',
  url: 'always',
  uploadUrl: 'always',
  // a storage closes once, and says the same again
  close: 'never',
} as const satisfies Record<ForwardedOperation, 'always' | 'unconditional' | 'in-parts' | 'never'>;

/**
 * A storage that tries again what failed with an error that says `retryable`: a lost connection, a server that is busy. It waits longer each
 * time, by chance in between, and a signal ends the wait at once. The last error says how often it was tried.
 *
 * Only what cannot do harm is done twice:
 * - `put` and `stage` are tried again where the whole body is in memory (Buffer, Uint8Array, string). A stream is read once.
 * - Under a condition (`ifMatch`, `ifNoneMatch: '*'`) `put`, `delete`, `copy` and `move` are tried once, as is the `commit` of a staged file:
 *   they may have been done, and only the answer lost.
 * - `delete` that finds nothing the second time has succeeded. `move` whose source is gone the second time rejects with the first error.
 * - `deleteMany` tries again the keys that failed.
 * - A listing that breaks off goes on behind the last item it gave, a stream of `get` with the bytes that are missing, of the same version; if
 *   that is gone, the stream fails with what broke it. Attempts and deadline count from the last progress.
 *
 * The deadline ends no try that is running: `TimeoutStorage` does, inside of this one.
 *
 * @example
 * StorageModule.forRoot({ storages: { media: new RetryingStorage(new S3Storage({ bucket: 'media' }), { attempts: 5 }) } });
 */
export class RetryingStorage extends ForwardingStorage {
  readonly #policy: RetryPolicy;

  /** @throws ConfigurationError that names the field */
  constructor(inner: Storage, options: RetryingStorageOptions = {}) {
    const policy = new RetryPolicy('RetryingStorage', options);
    const { name, keys, owns } = options;
    super(inner, { name, keys, owns });
    this.#policy = policy;
  }

  protected override _forward<T, O extends SignalOptions>(
    call: ForwardedCall<T, O>,
    work: (options: O) => Promise<T>,
  ): Promise<T> {
    return super._forward(call, mayRepeat(call) ? (options) => this.#repeat(call, options, work) : work);
  }

  protected override async *_forwardListing<T, O extends SignalOptions & { readonly limit?: number }>(
    call: ForwardedCall<IteratorResult<T>, O>,
    listing: ForwardedListing<T, O>,
  ): AsyncGenerator<T> {
    const tries = new Tries(this.#policy, call.options.signal);
    let options = call.options;
    for (;;) {
      const items = super._forwardListing({ ...call, options }, listing);
      let failure: unknown;
      try {
        for (;;) {
          const result = await items.next().catch((error: unknown) => {
            failure = error;
            return undefined;
          });
          if (result === undefined) break;
          if (result.done === true) return;
          const { limit } = options;
          options = {
            ...options,
            startAfter: listing.placeOf(result.value),
            ...(limit === undefined ? undefined : { limit: limit - 1 }),
          };
          tries.progressed();
          yield result.value;
        }
      } finally {
        await items.return(undefined);
      }
      if (!(await tries.again(failure))) throw tries.answer(failure);
    }
  }

  protected override _relay(stream: StoredFileStream, key: string, _options: ResolvedGetOptions): Readable {
    const { etag } = stream.file;
    return new ResumingStream(
      stream,
      this.#policy,
      (error) => this._restated(error, [key]),
      (range, signal) => this._inner.get(this._innerKey(key), { range, ifMatch: etag, signal }),
    );
  }

  protected override async _deleteMany(keys: readonly string[], options: SignalOptions): Promise<DeleteOutcome> {
    const tries = new Tries(this.#policy, options.signal);
    const failed = new Map<string, unknown>();
    let left = keys;
    let told = false;
    for (;;) {
      let failure: unknown;
      try {
        const outcome = await super._deleteMany(left, options);
        told = true;
        for (const key of left) failed.delete(key);
        for (const { key, error } of outcome.failed) failed.set(key, error);
        left = outcome.failed.filter(({ error }) => this.#policy.takes(error)).map(({ key }) => key);
        if (left.length === 0) break;
        failure = failed.get(left[0] ?? '');
      } catch (error) {
        failure = error;
      }
      if (await tries.again(failure)) continue;
      if (!told || options.signal?.aborted === true) throw tries.answer(failure);
      break;
    }
    return {
      deleted: keys.filter((key) => !failed.has(key)),
      failed: Array.from(failed, ([key, error]) => ({
        key,
        error: this.#policy.takes(error) ? tries.answer(error) : error,
      })),
    };
  }

  async #repeat<T, O extends SignalOptions>(
    { operation, options: { signal } }: ForwardedCall<T, O>,
    options: O,
    work: (options: O) => Promise<T>,
  ): Promise<T> {
    const tries = new Tries(this.#policy, signal);
    let first: unknown;
    for (;;) {
      try {
        // what the first try may have deleted is not missed
        return await work(operation === 'delete' && tries.repeated ? { ...options, force: true } : options);
      } catch (error) {
        // the first try may have moved it
        if (operation === 'move' && tries.repeated && error instanceof FileNotFoundError) throw tries.answer(first);
        first ??= error;
        if (!(await tries.again(error))) throw tries.answer(error);
      }
    }
  }
}

function mayRepeat<T, O extends SignalOptions>({ operation, options, source }: ForwardedCall<T, O>): boolean {
  const { ifMatch, ifNoneMatch } = options as { ifMatch?: unknown; ifNoneMatch?: unknown };
  switch (REPEATS[operation]) {
    case 'always':
      return source === undefined;
    case 'unconditional':
      return source === undefined && ifMatch === undefined && ifNoneMatch === undefined;
    default:
      return false;
  }
}
