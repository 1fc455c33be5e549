import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryStorage, type PutOptions, type StorageData, type StoredFile, type UrlOptions } from 'nestjs-storages';

/** close does nothing: every later call is served. */
export class CloseThatRefusesNothing extends MemoryStorage {
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

/** close has ended while a put still reads its source. */
export class CloseThatWaitsForNothing extends MemoryStorage {
  override close(): Promise<void> {
    void super.close();
    return Promise.resolve();
  }
}

/** close waits until the source of a put has been read, and not for what comes then. */
export class CloseThatWaitsForSources extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    const file = await super.put(key, data, options);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    return file;
  }
}

/** A second close fails. */
export class CloseOnce extends MemoryStorage {
  #closed = false;

  override async close(): Promise<void> {
    if (this.#closed) throw new Error('closed already');
    this.#closed = true;
    await super.close();
  }
}

/** Says that it signs no URLs, and gives one for ever when asked for a minute. */
export class ExpiryIgnored extends MemoryStorage {
  override url(key: string, { expiresIn: _ignored, ...options }: UrlOptions = {}): Promise<string> {
    return super.url(key, options);
  }
}
