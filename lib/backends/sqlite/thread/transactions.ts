import type { CallName, Calls, Failure, Reply, Request } from '../protocol.js';
import { codeOf, type Database } from './driver.js';
import { failureOf } from './failures.js';
import type { Garbage } from './garbage.js';
import type { DiskRoom } from './disk-room.js';
import type { ObjectWrites } from './object-writes.js';
import { setDurability } from './open-database.js';
import { Refused } from './refused.js';

const CHANGES = [
  'put',
  'write',
  'commit',
  'abort',
  'delete',
  'deleteMany',
  'copy',
  'move',
] as const satisfies CallName[];
export type Change = Extract<Request, { readonly name: (typeof CHANGES)[number] }>;

const changes: ReadonlySet<string> = new Set(CHANGES);

export function isChange(request: Request): request is Change {
  return changes.has(request.name);
}

/** As SQLite says it, a little earlier. */
class NoRoom extends Error {
  readonly code = 'SQLITE_FULL';
}

/** How many bytes a change brings. */
export function bytesOf(request: Request): number {
  return request.name === 'put' || request.name === 'write' ? request.input.bytes.byteLength : 0;
}

/** Makes the changes that came together in one transaction, so that they share its one wait for the disk. */
export class Transactions {
  readonly #db: Database;
  readonly #writes: ObjectWrites;
  readonly #garbage: Garbage;
  readonly #room: DiskRoom;
  readonly #durable: boolean;

  constructor(db: Database, writes: ObjectWrites, garbage: Garbage, room: DiskRoom, durable: boolean) {
    this.#db = db;
    this.#writes = writes;
    this.#garbage = garbage;
    this.#room = room;
    this.#durable = durable;
  }

  /** @returns a reply to each, and the epoch that was begun if bytes were given up */
  run(requests: readonly Change[]): { readonly replies: Reply[]; readonly epoch: number | undefined } {
    try {
      if (!this.#room.has(requests.reduce((sum, request) => sum + bytesOf(request), 0))) throw new NoRoom();
      return this.#runTogether(requests);
    } catch (error) {
      // One that found no room must not fail its neighbours; a database that is busy would let each of them wait anew.
      if (requests.length > 1 && codeOf(error)?.startsWith('SQLITE_BUSY') !== true) return this.#runEach(requests);
      const failure = failureOf(error);
      return { replies: requests.map(({ id }) => ({ id, failure })), epoch: undefined };
    }
  }

  #runEach(requests: readonly Change[]): { readonly replies: Reply[]; readonly epoch: number | undefined } {
    const replies: Reply[] = [];
    let epoch: number | undefined;
    for (const request of requests) {
      const outcome = this.run([request]);
      replies.push(...outcome.replies);
      epoch = outcome.epoch ?? epoch;
    }
    return { replies, epoch };
  }

  #runTogether(requests: readonly Change[]): { readonly replies: Reply[]; readonly epoch: number | undefined } {
    // Nobody was promised anything about the bytes of an upload yet. The commit that shows them flushes the log, and with it all
    // that stands before.
    const flush = this.#durable && requests.some(({ name }) => name !== 'write' && name !== 'abort');
    if (this.#durable && !flush) setDurability(this.#db, false);
    this.#garbage.beginChange();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const replies = requests.map((request) => this.#attempt(request));
      this.#db.exec('COMMIT');
      return { replies, epoch: this.#garbage.begun };
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      if (this.#durable && !flush) setDurability(this.#db, true);
    }
  }

  #attempt(request: Change): Reply {
    const { id } = request;
    try {
      return { id, output: this.#make(request) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const failure: Failure = { kind: 'refused', refusal: error.refusal };
      return { id, failure };
    }
  }

  #make(request: Change): Calls[Change['name']]['output'] {
    switch (request.name) {
      case 'put':
        return this.#writes.put(request.input);
      case 'write':
        return { generation: this.#writes.write(request.input), memory: request.input.bytes.buffer };
      case 'commit':
        return this.#writes.commit(request.input);
      case 'abort':
        this.#writes.abort(request.input.generation);
        return undefined;
      case 'delete':
        return this.#writes.delete(request.input);
      case 'deleteMany':
        for (const key of request.input.keys) this.#writes.delete({ key });
        return undefined;
      case 'copy':
        return this.#writes.copy(request.input);
      case 'move':
        return this.#writes.move(request.input);
    }
  }
}
