import type { Calls } from '../protocol.js';
import type { Database } from './driver.js';
import type { Garbage } from './garbage.js';
import { setDurability } from './open-database.js';
import type { Owners } from './owners.js';

/** Gives back the room of bytes that nobody reads any more, in steps, so that puts come in between. */
export class Sweep {
  readonly #db: Database;
  readonly #owners: Owners;
  readonly #garbage: Garbage;
  readonly #durable: boolean;

  constructor(db: Database, owners: Owners, garbage: Garbage, durable: boolean) {
    this.#db = db;
    this.#owners = owners;
    this.#garbage = garbage;
    this.#durable = durable;
  }

  /** `safe`: no reader of this storage began before this epoch. */
  step({ safe, departed }: Calls['sweep']['input']): Calls['sweep']['output'] {
    const neighbours = this.#owners.neighbours(departed);
    if (neighbours.length > 0) this.#owners.publish(safe);
    let again = false;
    if (!this.#garbage.isEmpty) again = this.#remove(Math.min(safe, ...neighbours.map(({ epoch }) => epoch)));
    return { epoch: this.#garbage.epoch, left: !this.#garbage.isEmpty, again };
  }

  #remove(epoch: number): boolean {
    // What a power cut brings back is garbage as before.
    if (this.#durable) setDurability(this.#db, false);
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const again = this.#garbage.removeStep(epoch);
      this.#db.exec('COMMIT');
      return again;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      if (this.#durable) setDurability(this.#db, true);
    }
  }
}
