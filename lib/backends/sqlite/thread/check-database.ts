import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Calls, CheckProblem } from '../protocol.js';
import { codeOf, type Database, type Statement } from './driver.js';
import type { TableNames } from './names.js';

interface ObjectRow {
  readonly key: string;
  readonly size: number;
  readonly checksum: string | null;
  readonly generation: number | null;
  readonly chunkSize: number | null;
  readonly bodySize: number | null;
}

interface ChunkSums {
  readonly chunks: number;
  readonly last: number | null;
  readonly bytes: number;
}

/** Objects of one read transaction: a long one would keep the log from beginning anew. */
const OBJECTS_AT_ONCE = 100;

/** Looks for damage: in the file itself, and in what belongs together. */
export function checkDatabase(db: Database, names: TableNames): Calls['check']['output'] {
  return new DatabaseCheck(db, names).run();
}

class DatabaseCheck {
  readonly #db: Database;
  readonly #names: TableNames;
  readonly #problems: CheckProblem[] = [];
  readonly #page: Statement<ObjectRow>;
  readonly #sums: Statement<ChunkSums>;
  readonly #chunks: Statement<{ readonly data: Uint8Array }>;
  readonly #body: Statement<{ readonly data: Uint8Array | null }>;
  #objects = 0;
  #bytes = 0;

  constructor(db: Database, names: TableNames) {
    this.#db = db;
    this.#names = names;
    const { objects, chunks } = names;
    this.#page = db.prepare(
      `SELECT key, size, checksum, generation, chunk_size AS chunkSize, length(body) AS bodySize
       FROM ${objects} WHERE key > ? ORDER BY key LIMIT ${OBJECTS_AT_ONCE}`,
    );
    this.#sums = db.prepare(
      `SELECT count(*) AS chunks, max(position) AS last, coalesce(sum(length(data)), 0) AS bytes FROM ${chunks} WHERE generation = ?`,
    );
    this.#chunks = db.prepare(`SELECT data FROM ${chunks} WHERE generation = ? ORDER BY position`);
    this.#body = db.prepare(`SELECT body AS data FROM ${objects} WHERE key = ?`);
  }

  run(): Calls['check']['output'] {
    this.#try(() => {
      this.#checkFile();
    });
    this.#try(() => {
      this.#checkObjects();
    });
    this.#try(() => {
      this.#checkOrphans();
      this.#checkTotal();
    });
    return { objects: this.#objects, bytes: this.#bytes, problems: this.#problems };
  }

  /** Damage may also show in that SQLite gives up. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (codeOf(error)?.startsWith('SQLITE_CORRUPT') !== true) throw error;
      this.#problems.push({ kind: 'database', message: error instanceof Error ? error.message : String(error) });
    }
  }

  #checkFile(): void {
    const rows = this.#db.prepare<{ readonly integrity_check: string }>('PRAGMA integrity_check').all();
    for (const { integrity_check: message } of rows) {
      if (message !== 'ok') this.#problems.push({ kind: 'database', message });
    }
  }

  #checkObjects(): void {
    let after = '';
    for (;;) {
      this.#db.exec('BEGIN');
      try {
        const rows = this.#page.all(after);
        for (const row of rows) this.#checkObject(row);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.key;
      } finally {
        this.#db.exec('COMMIT');
      }
    }
  }

  #checkObject(row: ObjectRow): void {
    const { key, size, generation, chunkSize, bodySize } = row;
    this.#objects++;
    this.#bytes += size;
    if (generation === null || chunkSize === null) {
      if (bodySize !== size) {
        const message = `The object has ${bodySize ?? 0} bytes and says ${size}.`;
        this.#problems.push({ kind: 'size', key, message });
        return;
      }
    } else {
      const sums = this.#sums.get(generation) ?? { chunks: 0, last: null, bytes: 0 };
      const expected = Math.ceil(size / chunkSize);
      if (sums.chunks !== expected || (sums.last ?? -1) !== expected - 1) {
        const message = `The object has ${sums.chunks} of ${expected} chunks.`;
        this.#problems.push({ kind: 'missing-chunks', key, message });
        return;
      }
      if (sums.bytes !== size) {
        const message = `The chunks of the object have ${sums.bytes} bytes, and it says ${size}.`;
        this.#problems.push({ kind: 'size', key, message });
        return;
      }
    }
    if (row.checksum !== null) this.#checkSum(row, row.checksum);
  }

  #checkSum({ key, generation }: ObjectRow, checksum: string): void {
    const expected = new Map(Object.entries(JSON.parse(checksum) as Record<string, string>));
    for (const [algorithm, digest] of expected) {
      const actual = algorithm === 'crc32' ? this.#crc32(key, generation) : this.#digest(algorithm, key, generation);
      if (actual !== digest) {
        const message = `The ${algorithm} of the object is ${actual}, and ${digest} was stored.`;
        this.#problems.push({ kind: 'checksum', key, message });
      }
    }
  }

  #digest(algorithm: string, key: string, generation: number | null): string {
    const hash = createHash(algorithm);
    for (const { data } of this.#pieces(key, generation)) if (data !== null) hash.update(data);
    return hash.digest('hex');
  }

  #crc32(key: string, generation: number | null): string {
    let crc = 0;
    for (const { data } of this.#pieces(key, generation)) if (data !== null) crc = crc32(data, crc);
    return crc.toString(16).padStart(8, '0');
  }

  #pieces(key: string, generation: number | null): Iterable<{ readonly data: Uint8Array | null }> {
    return generation === null ? this.#body.iterate(key) : this.#chunks.iterate(generation);
  }

  #checkOrphans(): void {
    const { objects, chunks, uploads, garbage } = this.#names;
    const orphans = this.#db
      .prepare<{ readonly generation: number; readonly chunks: number }>(
        `SELECT generation, count(*) AS chunks FROM ${chunks} c
         WHERE NOT EXISTS (SELECT 1 FROM ${objects} o WHERE o.generation = c.generation)
           AND NOT EXISTS (SELECT 1 FROM ${uploads} u WHERE u.generation = c.generation)
           AND NOT EXISTS (SELECT 1 FROM ${garbage} g WHERE g.generation = c.generation)
         GROUP BY generation`,
      )
      .all();
    for (const { generation, chunks: count } of orphans) {
      this.#problems.push({
        kind: 'orphaned-chunks',
        message: `${count} chunks of generation ${generation} belong to nothing.`,
      });
    }
  }

  #checkTotal(): void {
    const { objects, totals } = this.#names;
    const sums = this.#db
      .prepare<{ readonly kept: number; readonly summed: number }>(
        `SELECT bytes AS kept, (SELECT coalesce(sum(size), 0) FROM ${objects}) AS summed FROM ${totals}`,
      )
      .get();
    if (sums !== undefined && sums.kept !== sums.summed) {
      const message = `All objects have ${sums.summed} bytes, and ${sums.kept} are counted.`;
      this.#problems.push({ kind: 'size', message });
    }
  }
}
