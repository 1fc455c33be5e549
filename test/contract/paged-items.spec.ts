import { beforeEach, describe, expect, it } from '@jest/globals';
import { type StoredFile } from 'nestjs-storages';
import { PagedItems } from '../../lib/contract/base/paged-items.js';
import { MapStorage } from './map-storage.js';

const fileOf = (key: string): StoredFile => ({ key }) as StoredFile;

let storage: MapStorage;
/** What the backend was asked for and told, in order. */
let pages: string[];

beforeEach(() => {
  pages = [];
  storage = new MapStorage();
  storage._list = () => new PagedItems(fetchPages());
});

async function* fetchPages(): AsyncGenerator<readonly StoredFile[]> {
  try {
    for (const [name, keys] of Object.entries({ first: 'abc', second: '', third: 'de' })) {
      await new Promise((resolve) => setImmediate(resolve));
      pages.push(name);
      yield Array.from(keys, fileOf);
    }
  } finally {
    pages.push('ended');
  }
}

async function keysOf(limit?: number): Promise<string> {
  let keys = '';
  for await (const { key } of storage.list('', limit === undefined ? {} : { limit })) keys += key;
  return keys;
}

describe('a listing that comes in pages', () => {
  it('gives every item of every page in order, and ends', async () => {
    expect(await keysOf()).toBe('abcde');
    expect(pages).toEqual(['first', 'second', 'third', 'ended']);
  });

  it.each([
    [1, 'a', ['first', 'ended']],
    [3, 'abc', ['first', 'ended']],
    [4, 'abcd', ['first', 'second', 'third', 'ended']],
  ])('ends at a limit of %i, and asks for no page behind it', async (limit, keys, asked) => {
    expect(await keysOf(limit)).toBe(keys);
    expect(pages).toEqual(asked);
  });

  it('ends the pages when its reader leaves in the middle of one', async () => {
    for await (const { key } of storage.list()) if (key === 'b') break;
    expect(pages).toEqual(['first', 'ended']);
  });

  it('gives each of several steps at once an item of its own, in the order in which they were asked for', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `${i}`);
    let arrive = (): void => undefined;
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    storage._list = () =>
      new PagedItems(
        (async function* () {
          await arrival;
          yield keys.map(fileOf);
        })(),
      );
    const listing = storage.list()[Symbol.asyncIterator]();
    // the first before the page has come, the others at every turn behind it, while those are still on their way
    const asked = [listing.next(), listing.next(), listing.next()];
    await new Promise((resolve) => setImmediate(resolve));
    arrive();
    while (asked.length < keys.length) {
      await Promise.resolve();
      asked.push(listing.next());
    }
    const values = (await Promise.all(asked)).map((result) => (result.done === true ? 'end' : result.value.key));
    expect(values).toEqual(keys);
    expect((await listing.next()).done).toBe(true);
  });

  it('is refused in the middle of a page once the storage is closed, and once its signal fires', async () => {
    const controller = new AbortController();
    const aborted = storage.list('', { signal: controller.signal })[Symbol.asyncIterator]();
    const closed = storage.list()[Symbol.asyncIterator]();
    await aborted.next();
    await closed.next();
    controller.abort();
    await expect(aborted.next()).rejects.toMatchObject({ code: 'ABORTED', operation: 'list' });
    await storage.close();
    await expect(closed.next()).rejects.toMatchObject({ code: 'STORAGE_CLOSED', operation: 'list' });
    expect(pages).toEqual(['first', 'first', 'ended', 'ended']);
  });
});
