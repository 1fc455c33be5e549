import { depart, forgetDeparted } from './departed.js';
import { DatabaseThread, type ThreadListener } from './database-thread.js';
import type { Calls, ThreadSettings } from './protocol.js';
import { ReaderPins } from './reader-pins.js';
import type { SQLiteSettings } from './sqlite-storage-config.js';
import { errorOf } from './storage-errors.js';
import { Sweeper } from './sweeper.js';

/** The threads of a storage: one that changes the database, one that reads it and so waits for no change. */
export class DatabaseThreads {
  readonly writer: DatabaseThread;
  readonly reader: DatabaseThread;
  readonly pins = new ReaderPins();
  readonly sweeper: Sweeper;
  readonly #settings: Omit<ThreadSettings, 'role'>;
  readonly #listener: ThreadListener;

  /** @param instance tells the storage apart from every other: 12 hex digits */
  constructor(settings: SQLiteSettings, instance: string) {
    const { filename, givenFilename, tableName, durable, busyTimeout, maxBytes } = settings;
    this.#settings = { filename, givenFilename, tableName, durable, busyTimeout, maxBytes, instance };
    this.#listener = {
      safeEpoch: () => this.pins.safe,
      onEpoch: (epoch) => {
        this.pins.know(epoch);
        this.sweeper.sweep();
      },
      failureOf: (failure) => errorOf(failure, givenFilename),
    };
    // Only the connection that made it sees a database in memory.
    const inMemory = filename === ':memory:';
    this.writer = this.#thread(inMemory ? 'both' : 'writer');
    this.reader = inMemory ? this.writer : this.#thread('reader');
    this.sweeper = new Sweeper(this.writer, this.pins);
  }

  async open(): Promise<void> {
    forgetDeparted(this.#settings.instance);
    // the file is made before it is read
    await this.writer.open();
    await this.reader.open();
    this.sweeper.start();
  }

  async close(): Promise<void> {
    await this.sweeper.stop();
    try {
      if (this.reader !== this.writer) await this.reader.close();
    } finally {
      depart(this.#settings.instance);
      if (await this.writer.close()) forgetDeparted(this.#settings.instance);
    }
  }

  /** In a thread of its own: it takes long. */
  async check(): Promise<Calls['check']['output']> {
    if (this.reader === this.writer) return this.writer.call('check', undefined);
    const thread = this.#thread('reader');
    try {
      return await thread.call('check', undefined);
    } finally {
      await thread.close();
    }
  }

  #thread(role: ThreadSettings['role']): DatabaseThread {
    return new DatabaseThread({ ...this.#settings, role }, this.#listener);
  }
}
