import {
  UnsupportedOperationError,
  type Capabilities,
  type SignalOptions,
  type Storage,
  type StorageOperation,
} from '../contract/index.js';
import type { ForwardedCall } from './forwarded-call.js';
import { ForwardingStorage, type ForwardingStorageOptions } from './forwarding-storage.js';
import { checkFields, COMMON_FIELDS } from './wrapper-options.js';

export type ReadOnlyStorageOptions = ForwardingStorageOptions;

/** Every operation is one or the other: one that the contract gains must be decided here. */
const WRITES = {
  open: false,
  put: true,
  stage: true,
  commit: true,
  abort: true,
  get: false,
  getBytes: false,
  info: false,
  exists: false,
  delete: true,
  deleteMany: true,
  deletePrefix: true,
  list: false,
  listEntries: false,
  copy: true,
  move: true,
  url: false,
  uploadUrl: true,
  close: false,
} as const satisfies Record<StorageOperation, boolean>;

/**
 * A storage that is only read. Whatever would change it (`put`, `stage`, `delete`, `deleteMany`, `deletePrefix`, `copy`, `move`, `uploadUrl`)
 * is refused with an `UnsupportedOperationError` before any I/O: the storage is not opened for it, and a stream that was to be stored is
 * destroyed unread. Whoever has the inner storage still writes through that.
 *
 * @example
 * StorageModule.forRoot({ storages: { archive: new ReadOnlyStorage(new FileSystemStorage({ root: './archive' })) } });
 */
export class ReadOnlyStorage extends ForwardingStorage {
  protected override readonly _takesUploads = false;

  /** @throws ConfigurationError that names the field */
  constructor(inner: Storage, options: ReadOnlyStorageOptions = {}) {
    checkFields('ReadOnlyStorage', options, COMMON_FIELDS);
    super(inner, options);
  }

  protected override _refuse(operation: StorageOperation): void {
    if (WRITES[operation]) {
      throw new UnsupportedOperationError(
        `This storage is read-only: ${operation}() is refused. Write to the storage that it was made of.`,
      );
    }
  }

  /** For a subclass that calls a hook by itself. */
  protected override async _forward<T, O extends SignalOptions>(
    call: ForwardedCall<T, O>,
    work: (options: O) => Promise<T>,
  ): Promise<T> {
    this._refuse(call.operation);
    return super._forward(call, work);
  }

  protected override _capabilitiesOver(inner: Capabilities): Capabilities {
    return Object.freeze({
      ...inner,
      uploadUrls: false,
      createOnly: false,
      compareAndSwap: false,
      conditionalCopy: false,
    });
  }
}
