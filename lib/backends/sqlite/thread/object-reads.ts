import { behindPrefix } from '../key-range.js';
import type { Body, Calls, Head, ListedEntry, Page } from '../protocol.js';
import type { Database, Statement, Value } from './driver.js';
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
  readonly #bytes: Statement<Uint8Array | null>;
  readonly #chunk: Statement<{ readonly data: Uint8Array }>;
  readonly #pages: ReadonlyMap<string, Statement<ListedRow>>;
  readonly #lists: ReadonlyMap<string, Statement<{ readonly page: string }>>;

  constructor(db: Database, { objects, chunks }: TableNames) {
    this.#find = db.prepare(`SELECT ${HEAD} FROM ${objects} WHERE key = ?`);
    this.#read = db.prepare(`SELECT ${HEAD}, generation, chunk_size AS chunkSize, body FROM ${objects} WHERE key = ?`);
    this.#bytes = db.prepare(`SELECT body FROM ${objects} WHERE key = ?`);
    this.#bytes.pluck();
    this.#chunk = db.prepare(`SELECT data FROM ${chunks} WHERE generation = ? AND position = ?`);
    const rows = (range: string): string => `SELECT key, ${HEAD} FROM ${objects} WHERE ${range} ORDER BY key LIMIT ?`;
    this.#pages = forms((range) => db.prepare(rows(range)));
    // the rows of a limited query come in its order, and so they stand in the array
    this.#lists = forms((range) =>
      db.prepare(`SELECT json_group_array(json_array(key, ${HEAD})) AS page FROM (${rows(range)})`),
    );
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

  /** In memory of its own, which can be handed over. */
  bytes(key: string): ArrayBuffer | undefined {
    const bytes = this.#bytes.get(key);
    if (bytes === undefined || bytes === null) return undefined;
    const { buffer, byteLength } = bytes;
    return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? buffer : new Uint8Array(bytes).buffer;
  }

  chunk(generation: number, position: number): Uint8Array | undefined {
    return this.#chunk.get(generation, position)?.data;
  }

  list(page: Page): string {
    const statement = this.#lists.get(nameOf(page.inclusive, page.before));
    return statement?.get(...boundsOf(page))?.page ?? '[]';
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
    for (const row of this.#rows(page)) {
      const group = groupOf(row);
      if (group !== undefined) return group;
    }
    return undefined;
  }

  #rows(page: Page): Iterable<ListedRow> {
    return this.#pages.get(nameOf(page.inclusive, page.before))?.iterate(...boundsOf(page)) ?? [];
  }
}

/** A statement for each of the four forms of a page's range. */
function forms<Row>(prepare: (range: string) => Statement<Row>): ReadonlyMap<string, Statement<Row>> {
  return new Map(
    [true, false].flatMap((inclusive) =>
      [undefined, ''].map((before) => {
        const range = `key ${inclusive ? '>=' : '>'} ?${before === undefined ? '' : ' AND key < ?'}`;
        return [nameOf(inclusive, before), prepare(range)] as const;
      }),
    ),
  );
}

function nameOf(inclusive: boolean, before: string | undefined): string {
  return `${inclusive ? '>=' : '>'}${before === undefined ? '' : '<'}`;
}

function boundsOf({ from, before, limit }: Page): readonly Value[] {
  return before === undefined ? [from, limit] : [from, before, limit];
}

export function headOf({ size, etag, modified, attributes }: Head): Head {
  return { size, etag, modified, attributes };
}
