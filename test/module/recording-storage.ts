import { MemoryStorage, StorageError } from 'nestjs-storages';

/** A storage that says when it is opened and closed, and fails where it is told to. */
export class RecordingStorage extends MemoryStorage {
  readonly events: string[];
  readonly label: string;
  readonly #failing: ReadonlySet<'open' | 'close'>;

  constructor(label: string, events: string[], ...failing: ('open' | 'close')[]) {
    super({ name: label });
    this.label = label;
    this.events = events;
    this.#failing = new Set(failing);
  }

  protected override _open(): Promise<void> {
    return this.#record('open');
  }

  // the public method: each call counts, also one that a storage takes in silence
  override async close(): Promise<void> {
    await super.close();
    await this.#record('close');
  }

  async #record(what: 'open' | 'close'): Promise<void> {
    this.events.push(`${what} ${this.label}`);
    await Promise.resolve();
    if (this.#failing.has(what)) throw new StorageError(`The ${what} of ${this.label} failed on purpose.`);
  }
}
