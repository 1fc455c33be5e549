import { behindPrefix } from '../key-range.js';
import type { Body, Calls, Head, ListedEntry, ListedObject, Page } from '../protocol.js';
import type { Database, Statement } from './driver.js';
import type { TableNames } from './names.js';

interface ObjectRow extends Head {
  readonly generation: number | null;
  readonly chunkSize: number | null;
  readonly body: Uint8Array | null;
}

interface ListedRow extends Head {
  readonly key: string;
}

const HEAD = 'size, etag, modified, attributes';

/** Looks things up, each call in a read transaction of its own that ends with it. */
export class ObjectReads {
  readonly #find: Statement<Head>;
  readonly #read: Statement<ObjectRow>;
  readonly #chunk: Statement<{ readonly data: Uint8Array }>;
  readonly #pages: ReadonlyMap<string, Statement<ListedRow>>;

  constructor(db: Database, { objects, chunks }: TableNames) {
    this.#find = db.prepare(`SELECT ${HEAD} FROM ${objects} WHERE key = ?`);
    this.#read = db.prepare(`SELECT ${HEAD}, generation, chunk_size AS chunkSize, body FROM ${objects} WHERE key = ?`);
    this.#chunk = db.prepare(`SELECT data FROM ${chunks} WHERE generation = ? AND position = ?`);
    const page = (from: string, before: string): Statement<ListedRow> =>
      db.prepare(`SELECT key, ${HEAD} FROM ${objects} WHERE key ${from} ?${before} ORDER BY key LIMIT ?`);
    this.#pages = new Map([
      ['>=', page('>=', '')],
      ['>', page('>', '')],
      ['>=<', page('>=', ' AND key < ?')],
      ['><', page('>', ' AND key < ?')],
    ]);
  }

  find(key: string): Head | undefined {
    const row = this.#find.get(key);
    return row === undefined ? undefined : headOf(row);
  }

  read(key: string): { readonly head: Head; readonly body: Body } | undefined {
    const row = this.#read.get(key);
    if (row === undefined) return undefined;
    const { generation, chunkSize, body } = row;
    if (generation !== null && chunkSize !== null) return { head: headOf(row), body: { generation, chunkSize } };
    return { head: headOf(row), body: { bytes: body ?? new Uint8Array(0) } };
  }

  chunk(generation: number, position: number): Uint8Array | undefined {
    return this.#chunk.get(generation, position)?.data;
  }

  list(page: Page): ListedObject[] {
    return Array.from(this.#rows(page, 'all'), (row) => ({ key: row.key, head: headOf(row) }));
  }

  /** One level, as a folder is shown: what is in a group is leapt over. `from` is in no group that has been shown. */
  entries({ prefix, delimiter, limit, ...page }: Calls['entries']['input']): ListedEntry[] {
    const entries: ListedEntry[] = [];
    let { from, inclusive } = page;
    while (entries.length < limit) {
      const group = this.#untilGroup({ ...page, from, inclusive, limit: limit - entries.length }, (row) => {
        const end = row.key.indexOf(delimiter, prefix.length);
        if (end >= 0) return row.key.slice(0, end + delimiter.length);
        entries.push({ name: row.key, head: headOf(row) });
        return undefined;
      });
      if (group === undefined) break;
      entries.push({ name: group, head: undefined });
      const next = behindPrefix(group);
      if (next === undefined) break;
      from = next;
      inclusive = true;
    }
    return entries;
  }

  /** Steps through a page until one row is in a group, and no further. */
  #untilGroup(page: Page, groupOf: (row: ListedRow) => string | undefined): string | undefined {
    for (const row of this.#rows(page, 'iterate')) {
      const group = groupOf(row);
      if (group !== undefined) return group;
    }
    return undefined;
  }

  #rows({ from, inclusive, before, limit }: Page, how: 'all' | 'iterate'): Iterable<ListedRow> {
    const statement = this.#pages.get(`${inclusive ? '>=' : '>'}${before === undefined ? '' : '<'}`);
    if (statement === undefined) return [];
    return before === undefined ? statement[how](from, limit) : statement[how](from, before, limit);
  }
}

export function headOf({ size, etag, modified, attributes }: Head): Head {
  return { size, etag, modified, attributes };
}
