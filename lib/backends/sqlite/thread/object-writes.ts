import type { Calls, Conditions, Head } from '../protocol.js';
import type { Database, Statement } from './driver.js';
import type { Garbage } from './garbage.js';
import type { TableNames } from './names.js';
import { headOf } from './object-reads.js';
import { Refused } from './refused.js';

interface StoredRow extends Head {
  readonly generation: number | null;
}

interface UploadRow {
  readonly size: number;
}

/** What a change may ask for and must keep to, beside the database. */
export interface ChangeRules {
  /** Whose uploads these are. */
  readonly owner: string;
  /** Begins every etag of this thread: one that is started again counts from the beginning. */
  readonly etagPrefix: string;
  readonly maxBytes: number | undefined;
}

/** Changes what is stored. Every method runs within a transaction, and refuses before it changes anything. */
export class ObjectWrites {
  readonly #garbage: Garbage;
  readonly #rules: ChangeRules;
  #versions = 0;
  readonly #find: Statement<StoredRow>;
  readonly #insert: Statement<never>;
  readonly #insertFromChunk: Statement<never>;
  readonly #insertCopy: Statement<never>;
  readonly #rename: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #beginUpload: Statement<never>;
  readonly #growUpload: Statement<never>;
  readonly #findUpload: Statement<UploadRow>;
  readonly #endUpload: Statement<never>;
  readonly #writeChunk: Statement<never>;
  readonly #deleteChunks: Statement<never>;
  readonly #addToTotal: Statement<never>;
  readonly #used: Statement<{ readonly stored: number; readonly uploaded: number }>;

  constructor(db: Database, names: TableNames, garbage: Garbage, rules: ChangeRules) {
    this.#garbage = garbage;
    this.#rules = rules;
    const { objects, chunks, uploads, totals } = names;
    const columns = 'key, size, etag, modified, attributes, checksum, generation, chunk_size, body';
    this.#find = db.prepare(`SELECT size, etag, modified, attributes, generation FROM ${objects} WHERE key = ?`);
    this.#insert = db.prepare(`REPLACE INTO ${objects} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#insertFromChunk = db.prepare(
      `REPLACE INTO ${objects} (${columns})
       VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, (SELECT data FROM ${chunks} WHERE generation = ? AND position = 0))`,
    );
    this.#insertCopy = db.prepare(
      `REPLACE INTO ${objects} (${columns})
       SELECT ?, size, ?, ?, attributes, checksum, generation, chunk_size, body FROM ${objects} WHERE key = ?`,
    );
    this.#rename = db.prepare(`UPDATE ${objects} SET key = ?, etag = ?, modified = ? WHERE key = ?`);
    this.#delete = db.prepare(`DELETE FROM ${objects} WHERE key = ?`);
    this.#beginUpload = db.prepare(`INSERT INTO ${uploads} (owner, key, size) VALUES (?, ?, ?)`);
    this.#growUpload = db.prepare(`UPDATE ${uploads} SET size = size + ? WHERE generation = ? AND owner = ?`);
    this.#findUpload = db.prepare(`SELECT size FROM ${uploads} WHERE generation = ? AND owner = ?`);
    this.#endUpload = db.prepare(`DELETE FROM ${uploads} WHERE generation = ? AND owner = ?`);
    this.#writeChunk = db.prepare(`INSERT INTO ${chunks} (generation, position, data) VALUES (?, ?, ?)`);
    this.#deleteChunks = db.prepare(`DELETE FROM ${chunks} WHERE generation = ?`);
    this.#addToTotal = db.prepare(`UPDATE ${totals} SET bytes = bytes + ?`);
    this.#used = db.prepare(
      `SELECT bytes AS stored, (SELECT coalesce(sum(size), 0) FROM ${uploads}) AS uploaded FROM ${totals}`,
    );
  }

  put(input: Calls['put']['input']): Head {
    const { key, attributes, checksum, bytes } = input;
    const old = this.#find.get(key);
    this.#check(old, input);
    this.#checkRoom(old, bytes.byteLength);
    const head = this.#headOf(old, bytes.byteLength, attributes);
    const { size, etag, modified } = head;
    this.#insert.run(key, size, etag, modified, attributes, checksum ?? null, null, null, bytes);
    this.#replaced(old, size);
    return head;
  }

  write({ key, generation, position, bytes }: Calls['write']['input']): number {
    const size = bytes.byteLength;
    this.#checkRoom(this.#rules.maxBytes === undefined ? undefined : this.#find.get(key), size);
    if (generation !== undefined) {
      if (this.#growUpload.run(size, generation, this.#rules.owner).changes === 0) throw new Refused('upload-lost');
      this.#writeChunk.run(generation, position, bytes);
      return generation;
    }
    const begun = Number(this.#beginUpload.run(this.#rules.owner, key, size).lastInsertRowid);
    this.#writeChunk.run(begun, position, bytes);
    return begun;
  }

  commit(input: Calls['commit']['input']): Head {
    const { key, attributes, checksum, generation, size, chunkSize, inline } = input;
    const old = this.#find.get(key);
    this.#check(old, input);
    // its bytes are counted already, as those of an upload
    if (this.#findUpload.get(generation, this.#rules.owner)?.size !== size) throw new Refused('upload-lost');
    const head = this.#headOf(old, size, attributes);
    const fields = [key, size, head.etag, head.modified, attributes, checksum ?? null] as const;
    this.#endUpload.run(generation, this.#rules.owner);
    if (inline) {
      this.#insertFromChunk.run(...fields, generation);
      this.#deleteChunks.run(generation);
    } else {
      this.#insert.run(...fields, generation, chunkSize, null);
    }
    this.#replaced(old, size);
    return head;
  }

  abort(generation: number): void {
    if (this.#endUpload.run(generation, this.#rules.owner).changes === 1) this.#garbage.giveUp(generation);
  }

  delete({ key, ifMatch }: Calls['delete']['input']): boolean {
    const old = this.#find.get(key);
    if (old === undefined) return false;
    if (ifMatch !== undefined && old.etag !== ifMatch) throw new Refused('other-version');
    this.#delete.run(key);
    this.#replaced(old, 0);
    return true;
  }

  copy(input: Calls['copy']['input']): Head {
    const { source, destination } = input;
    const from = this.#find.get(source);
    if (from === undefined) throw new Refused('missing');
    const old = this.#find.get(destination);
    this.#check(old, input);
    this.#checkRoom(old, from.size);
    const head = this.#headOf(old, from.size, from.attributes);
    this.#insertCopy.run(destination, head.etag, head.modified, source);
    this.#replaced(old, from.size);
    return head;
  }

  move(input: Calls['move']['input']): Head {
    const { source, destination } = input;
    const from = this.#find.get(source);
    if (from === undefined) throw new Refused('missing');
    const old = this.#find.get(destination);
    this.#check(old, input);
    const head = this.#headOf(old, from.size, from.attributes);
    if (old !== undefined) this.#delete.run(destination);
    this.#rename.run(destination, head.etag, head.modified, source);
    this.#replaced(old, 0);
    return head;
  }

  #check(old: StoredRow | undefined, { ifNoneMatch, ifMatch }: Conditions): void {
    if (ifNoneMatch === '*' && old !== undefined) throw new Refused('exists');
    if (ifMatch === undefined) return;
    if (old === undefined) throw new Refused('no-version');
    if (old.etag !== ifMatch) throw new Refused('other-version');
  }

  #checkRoom(old: StoredRow | undefined, size: number): void {
    const { maxBytes } = this.#rules;
    if (maxBytes === undefined) return;
    const { stored = 0, uploaded = 0 } = this.#used.get() ?? {};
    if (stored + uploaded - (old?.size ?? 0) + size > maxBytes) throw new Refused('no-room');
  }

  #headOf(old: StoredRow | undefined, size: number, attributes: string): Head {
    return headOf({
      size,
      etag: `${this.#rules.etagPrefix}-${(++this.#versions).toString(36)}`,
      // a clock that was set back does not make an object older than it was
      modified: Math.max(Date.now(), old?.modified ?? 0),
      attributes,
    });
  }

  #replaced(old: StoredRow | undefined, size: number): void {
    const more = size - (old?.size ?? 0);
    if (more !== 0) this.#addToTotal.run(more);
    this.#garbage.giveUp(old?.generation);
  }
}
