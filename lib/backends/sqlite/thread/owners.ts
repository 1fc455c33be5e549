import { uptime } from 'node:os';
import {
  isProcessGone,
  ownerId,
  parseOwner,
  processIdentity,
  type ProcessIdentity,
} from '../../../contract/process-identity.js';
import type { Database, Statement } from './driver.js';
import { tableNames } from './names.js';

/** Seconds between two signs of life, which a storage gives only while it has neighbours. */
const SIGN_OF_LIFE = 30;
/** Seconds of silence after which a neighbour counts as dead whose process cannot be asked for: it is in another container. */
const SILENCE = 600;

interface OwnerRow {
  readonly id: string;
  readonly epoch: number;
  readonly seen: number;
}

/**
 * The storages that have the file open. Each says since which epoch its readers read, so that nobody takes bytes from under them; what
 * a dead one left unfinished is given up. When unsure, an owner is alive.
 */
export class Owners {
  readonly #db: Database;
  readonly #self: ProcessIdentity = processIdentity();
  readonly id: string;
  readonly #all: Statement<OwnerRow>;
  readonly #announce: Statement<never>;
  readonly #withdraw: Statement<never>;
  #published = -1;
  #seen = -Infinity;

  constructor(db: Database, instance: string) {
    this.#db = db;
    this.id = ownerId(this.#self, instance);
    this.#all = db.prepare('SELECT id, epoch, seen FROM "nestjs_storages_owners"');
    this.#announce = db.prepare(
      'INSERT INTO "nestjs_storages_owners" VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, seen = excluded.seen',
    );
    this.#withdraw = db.prepare('DELETE FROM "nestjs_storages_owners" WHERE id = ?');
  }

  /**
   * Others that live. A dead one is removed, and what it left unfinished given up.
   *
   * @param departed storages of this process that are closed: their process lives
   */
  neighbours(departed: readonly string[]): readonly { readonly id: string; readonly epoch: number }[] {
    const gone = new Set(departed.map((instance) => ownerId(this.#self, instance)));
    const others = this.#all.all().filter(({ id }) => id !== this.id);
    const dead = others.filter((owner) => gone.has(owner.id) || this.#isDead(owner));
    if (dead.length > 0) {
      this.#change(() => {
        for (const { id } of dead) this.#bury(id);
      });
    }
    return others.filter((owner) => !dead.includes(owner));
  }

  /** Shows itself to the neighbours, where what it would say is news. */
  publish(epoch: number): void {
    const now = uptime();
    if (epoch === this.#published && now - this.#seen < SIGN_OF_LIFE) return;
    this.#change(() => {
      this.#announce.run(this.id, epoch, now);
    });
    this.#published = epoch;
    this.#seen = now;
  }

  /** Leaves, and gives up what was not finished. */
  withdraw(): void {
    this.#change(() => {
      this.#bury(this.id);
    });
  }

  #isDead({ id, seen }: OwnerRow): boolean {
    const other = parseOwner(id);
    if (other === undefined) return false;
    if (other.boot !== this.#self.boot) return true;
    if (other.namespace === this.#self.namespace) return isProcessGone(other);
    return uptime() - seen > SILENCE;
  }

  #bury(id: string): void {
    const epoch = '(SELECT epoch FROM "nestjs_storages_epoch")';
    for (const { name } of this.#db.prepare<{ readonly name: string }>('SELECT name FROM "nestjs_storages"').all()) {
      const { uploads, garbage } = tableNames(name);
      this.#db.prepare(`INSERT INTO ${garbage} SELECT generation, ${epoch} FROM ${uploads} WHERE owner = ?`).run(id);
      this.#db.prepare(`DELETE FROM ${uploads} WHERE owner = ?`).run(id);
    }
    this.#withdraw.run(id);
  }

  #change(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
