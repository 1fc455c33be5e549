import type { Database, Statement } from './driver.js';
import type { TableNames } from './names.js';

/** Bytes of chunks that one step gives back: what a put has to wait for. */
const STEP_BYTES = 8 * 1024 * 1024;

interface GarbageRow {
  readonly generation: number;
  readonly first: number | null;
  readonly last: number | null;
}

/** Bytes that belong to no object any more, kept until nobody can be reading them. */
export class Garbage {
  readonly #epoch: Statement<{ readonly epoch: number }>;
  readonly #nextEpoch: Statement<{ readonly epoch: number }>;
  readonly #isUsed: Statement<unknown>;
  readonly #add: Statement<never>;
  readonly #next: Statement<GarbageRow>;
  readonly #any: Statement<unknown>;
  readonly #sizeOfFirst: Statement<{ readonly size: number }>;
  readonly #removeChunks: Statement<never>;
  readonly #remove: Statement<never>;
  /** What the change under way has given up, so that one commit makes one epoch. */
  #current: number | undefined;

  constructor(db: Database, { objects, chunks, garbage }: TableNames) {
    this.#epoch = db.prepare('SELECT epoch FROM "nestjs_storages_epoch"');
    this.#nextEpoch = db.prepare('UPDATE "nestjs_storages_epoch" SET epoch = epoch + 1 RETURNING epoch');
    this.#isUsed = db.prepare(`SELECT 1 FROM ${objects} WHERE generation = ? LIMIT 1`);
    this.#add = db.prepare(`INSERT INTO ${garbage} VALUES (?, ?)`);
    this.#next = db.prepare(
      `SELECT generation, (SELECT min(position) FROM ${chunks} c WHERE c.generation = g.generation) AS first,
        (SELECT max(position) FROM ${chunks} c WHERE c.generation = g.generation) AS last
       FROM ${garbage} g WHERE epoch <= ? LIMIT 1`,
    );
    this.#any = db.prepare(`SELECT 1 FROM ${garbage} LIMIT 1`);
    this.#sizeOfFirst = db.prepare(`SELECT length(data) AS size FROM ${chunks} WHERE generation = ? AND position = ?`);
    this.#removeChunks = db.prepare(`DELETE FROM ${chunks} WHERE generation = ? AND position BETWEEN ? AND ?`);
    this.#remove = db.prepare(`DELETE FROM ${garbage} WHERE generation = ?`);
  }

  get epoch(): number {
    return this.#epoch.get()?.epoch ?? 0;
  }

  get isEmpty(): boolean {
    return this.#any.get() === undefined;
  }

  beginChange(): void {
    this.#current = undefined;
  }

  /** The epoch that the change under way has begun, if it has given up anything. */
  get begun(): number | undefined {
    return this.#current;
  }

  /** After an object was changed: its bytes go, unless a copy still has them. */
  giveUp(generation: number | null | undefined): void {
    if (generation === null || generation === undefined || this.#isUsed.get(generation) !== undefined) return;
    this.#current ??= this.#nextEpoch.get()?.epoch ?? 0;
    this.#add.run(generation, this.#current);
  }

  /**
   * Removes a step's worth of what was given up by an epoch. Within a transaction.
   *
   * @returns whether there may be more of it
   */
  removeStep(epoch: number): boolean {
    for (let left = STEP_BYTES; left > 0;) {
      const next = this.#next.get(epoch);
      if (next === undefined) return false;
      const { generation, first, last } = next;
      if (first === null || last === null) {
        this.#remove.run(generation);
        continue;
      }
      const size = Math.max(1, this.#sizeOfFirst.get(generation, first)?.size ?? 1);
      const until = Math.min(last, first + Math.max(1, Math.floor(left / size)) - 1);
      this.#removeChunks.run(generation, first, until);
      if (until === last) this.#remove.run(generation);
      left -= size * (until - first + 1);
    }
    return true;
  }
}
