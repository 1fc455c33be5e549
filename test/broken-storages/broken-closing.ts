import { MemoryStorage, type UrlOptions } from 'nestjs-storages';

/** close does nothing: every later call is served. */
export class CloseThatRefusesNothing extends MemoryStorage {
  override close(): Promise<void> {
    return Promise.resolve();
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
