import {
  compareKeys,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type StoredFile,
} from '../../contract/index.js';
import type { DatabaseThread } from './database-thread.js';
import { fileOf } from './file-of-head.js';
import { behindPrefix } from './key-range.js';
import type { ListedEntry, ListedObject } from './protocol.js';

/** The first page is short, for those who look at the first few; the others are as long as one short read allows. */
const FIRST_PAGE = 50;
const LATER_PAGES = 500;

interface Position {
  readonly from: string;
  readonly inclusive: boolean;
}

/** Every object with a prefix, in pages; each page is a read of its own, so that a slow reader holds up nobody. */
export async function* pagesOfFiles(
  thread: DatabaseThread,
  prefix: string,
  { startAfter, limit = Infinity }: ResolvedListOptions,
): AsyncGenerator<readonly StoredFile[]> {
  const before = behindPrefix(prefix);
  let position = beginning(prefix, startAfter);
  let left = limit;
  for (let size = FIRST_PAGE; left > 0; size = LATER_PAGES) {
    const asked = Math.min(size, left);
    // written by this package
    const page = JSON.parse(
      await thread.call('list', { ...position, before, limit: asked }),
    ) as readonly ListedObject[];
    yield page.map(([key, size, etag, modified, attributes]) => fileOf(key, { size, etag, modified, attributes }));
    const last = page.at(-1);
    if (last === undefined || page.length < asked) return;
    position = { from: last[0], inclusive: false };
    left -= page.length;
  }
}

/** One level, as a folder is shown. */
export async function* listLevel(
  thread: DatabaseThread,
  prefix: string,
  { delimiter, startAfter, limit = Infinity }: ResolvedListEntriesOptions,
): AsyncGenerator<ListedEntry> {
  const before = behindPrefix(prefix);
  let position: Position | undefined = beginning(prefix, startAfter);
  // A group that begins at or before startAfter has been shown, whatever is in it.
  const end = startAfter?.startsWith(prefix) === true ? startAfter.indexOf(delimiter, prefix.length) : -1;
  if (startAfter !== undefined && end >= 0) position = behindGroup(startAfter.slice(0, end + delimiter.length));
  let left = limit;
  for (let size = FIRST_PAGE; left > 0 && position !== undefined; size = LATER_PAGES) {
    const asked = Math.min(size, left);
    const page: readonly ListedEntry[] = await thread.call('entries', {
      ...position,
      before,
      limit: asked,
      prefix,
      delimiter,
    });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < asked) return;
    position = last.head === undefined ? behindGroup(last.name) : { from: last.name, inclusive: false };
    left -= page.length;
  }
}

function beginning(prefix: string, startAfter: string | undefined): Position {
  return startAfter !== undefined && compareKeys(startAfter, prefix) >= 0
    ? { from: startAfter, inclusive: false }
    : { from: prefix, inclusive: true };
}

function behindGroup(group: string): Position | undefined {
  const from = behindPrefix(group);
  return from === undefined ? undefined : { from, inclusive: true };
}
