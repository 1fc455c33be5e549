import type { Readable } from 'node:stream';
import { drain } from '../contract/base/defaults.js';
import {
  TimeoutError,
  type ProgressOptions,
  type ResolvedGetOptions,
  type SignalOptions,
  type Storage,
  type StoredFileStream,
} from '../contract/index.js';
import { closeIterator } from '../contract/source/index.js';
import type { ForwardedCall, ForwardedListing, ForwardedOperation } from './forwarded-call.js';
import { ForwardingStorage, type ForwardingStorageOptions } from './forwarding-storage.js';
import { IdleBoundStream } from './idle-bound-stream.js';
import { TimeLimit } from './time-limit.js';
import { checkFields, COMMON_FIELDS, milliseconds as checkMilliseconds } from './wrapper-options.js';

export interface TimeoutStorageOptions extends ForwardingStorageOptions {
  /** How long a call without a body may take, in milliseconds. Default 30,000. */
  readonly timeout?: number | undefined;
  /** How long bytes that are stored or read, and the next item of a listing, may keep one waiting, in milliseconds. Default 30,000. */
  readonly idleTimeout?: number | undefined;
}

const FIELDS: readonly string[] = [
  ...COMMON_FIELDS,
  'timeout',
  'idleTimeout',
] satisfies readonly (keyof TimeoutStorageOptions)[];

/**
 * How an operation is bounded: as a whole, or between two steps that show progress. Every operation is decided: one that the contract gains
 * must be too.
 */
const BOUNDS = {
  open: 'whole',
  put: 'progress',
  stage: 'progress',
  commit: 'whole',
  abort: 'whole',
  // until it is open; its body is bounded between chunks
  get: 'whole',
  getBytes: 'progress',
  info: 'whole',
  exists: 'whole',
  delete: 'whole',
  deleteMany: 'whole',
  list: 'progress',
  listEntries: 'progress',
  copy: 'whole',
  move: 'whole',
  url: 'whole',
  uploadUrl: 'whole',
  close: 'whole',
} as const satisfies Record<ForwardedOperation, 'whole' | 'progress'>;

/**
 * A storage whose calls do not keep anybody waiting. What takes too long rejects with a `TimeoutError` (retryable), at once, and the call of
 * the inner storage is aborted by its signal; a storage that does not heed its signal may still do what it was asked to, later.
 *
 * `timeout` bounds a call as a whole. Where bytes flow there is `idleTimeout`, for each wait: until the storage or the source of a `put` or
 * `stage` goes on, until `get` and `getBytes` have the next bytes that their reader asked for, until a listing has its next item. So a large
 * file that comes slowly is no time-out, and one that does not come is. A body that is whole in memory shows no progress: its `put` or
 * `stage`, and what follows the last byte of any other, may take the longer of both. `copy`, `move`, `commit`, `deleteMany` and `close` are
 * bounded as a whole: `timeout` must be enough for the largest.
 *
 * @example
 * StorageModule.forRoot({ storages: { media: new TimeoutStorage(new S3Storage({ bucket: 'media' }), { timeout: 10_000 }) } });
 */
export class TimeoutStorage extends ForwardingStorage {
  readonly #timeout: number;
  readonly #idleTimeout: number;

  /** @throws ConfigurationError that names the field */
  constructor(inner: Storage, options: TimeoutStorageOptions = {}) {
    checkFields('TimeoutStorage', options, FIELDS);
    const { timeout = 30_000, idleTimeout = 30_000, ...rest } = options;
    super(inner, rest);
    this.#timeout = checkMilliseconds('TimeoutStorage', 'timeout', timeout, 1);
    this.#idleTimeout = checkMilliseconds('TimeoutStorage', 'idleTimeout', idleTimeout, 1);
  }

  protected override _forward<T, O extends SignalOptions>(
    call: ForwardedCall<T, O>,
    work: (options: O) => Promise<T>,
  ): Promise<T> {
    return super._forward(call, async (options) => {
      const limit = this.#limit(call);
      try {
        const given = { ...options, signal: limit.signal, ...this.#progress(call, limit) };
        return await limit.wait(this.#firstWait(call), () => work(given), call.discard);
      } finally {
        limit.end();
      }
    });
  }

  /** One limit for all steps: its signal is that of the whole listing. */
  protected override async *_forwardListing<T, O extends SignalOptions>(
    call: ForwardedCall<IteratorResult<T>, O>,
    { open, own }: ForwardedListing<T, O>,
  ): AsyncGenerator<T> {
    const limit = this.#limit(call);
    const { operation, keys } = call;
    const options = { ...call.options, signal: limit.signal };
    let iterator: AsyncIterator<T> | undefined;
    let state: 'open' | 'over' = 'open';
    const step = <R>(work: (items: AsyncIterator<T>) => Promise<R>): Promise<R> =>
      super._forward({ operation, keys, options }, () =>
        limit.wait(this.#idleTimeout, async () => {
          iterator ??= open(options)[Symbol.asyncIterator]();
          return work(iterator);
        }),
      );
    try {
      for (;;) {
        const result = await step((items) => items.next());
        if (result.done === true) {
          state = 'over';
          return;
        }
        yield own(result.value);
      }
    } catch (error) {
      state = 'over';
      // not awaited: what hangs in a step hangs here too
      if (iterator !== undefined) void closeIterator(iterator);
      throw error;
    } finally {
      try {
        if (state === 'open' && iterator?.return !== undefined) await step(async (items) => items.return?.());
      } finally {
        limit.end();
      }
    }
  }

  protected override _relay(stream: StoredFileStream, key: string, _options: ResolvedGetOptions): Readable {
    const milliseconds = this.#idleTimeout;
    const exceeded = (): TimeoutError => new TimeoutError(idle('get', milliseconds));
    return new IdleBoundStream(stream, (error) => this._restated(error, [key]), { milliseconds, exceeded });
  }

  /** By a stream, which shows how far it has come. */
  protected override async _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return drain(await this._get(key, options), options.signal);
  }

  /** Reading a source is progress, and its end leaves one last wait. */
  #progress({ source }: ForwardedCall<never>, limit: TimeLimit): ProgressOptions {
    if (source === undefined) return {};
    let ended = false;
    source.once('end', () => {
      ended = true;
      limit.restart(this.#longer);
    });
    return {
      onProgress: () => {
        if (!ended) limit.restart(this.#idleTimeout);
      },
    };
  }

  #firstWait({ operation, source }: ForwardedCall<never>): number {
    if (BOUNDS[operation] === 'whole') return this.#timeout;
    return source === undefined ? this.#longer : this.#idleTimeout;
  }

  get #longer(): number {
    return Math.max(this.#timeout, this.#idleTimeout);
  }

  #limit({ operation, options }: ForwardedCall<never>): TimeLimit {
    return new TimeLimit(options.signal, (waited) => this.#exceeded(operation, waited));
  }

  #exceeded(operation: ForwardedOperation, waited: number): TimeoutError {
    return new TimeoutError(
      BOUNDS[operation] === 'progress' && waited === this.#idleTimeout
        ? idle(operation, waited)
        : `${operation}() has not settled within ${waited} ms (timeout).`,
    );
  }
}

function idle(operation: ForwardedOperation, waited: number): string {
  return `${operation}() has not gone on for ${waited} ms (idleTimeout).`;
}
