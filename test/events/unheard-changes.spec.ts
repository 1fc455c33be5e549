import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage, ScopedStorage } from 'nestjs-storages';
import { hearChanges, type StorageChange } from '../../lib/contract/base/storage-changes.js';
import { changeHold, ChangeHold } from '../../lib/contract/options/change-hold.js';
import { UsedUrls } from '../../lib/signing/used-urls.js';
import { Canary } from '../../lib/terminus/canary.js';

describe("What is the library's own is no news to an application", () => {
  const storage = new MemoryStorage();
  let heard: StorageChange[];
  let stop: () => void;

  beforeEach(() => {
    heard = [];
    stop = hearChanges(storage, (change) => heard.push(change));
  });
  afterEach(async () => {
    stop();
    await storage.deletePrefix('', { all: true });
  });

  it('a canary of a health check', async () => {
    await new Canary(storage, 'health/').check(AbortSignal.timeout(10_000));
    expect(heard).toEqual([]);
  });

  it('notes of used URLs, their removal too', async () => {
    const urls = new UsedUrls(() => storage, 'used');
    await storage.put('used/1/old', '', { [changeHold]: ChangeHold.silent() });
    expect(await urls.use({ expires: Date.now() / 1000 + 60, once: 'a' })).toBe(true);
    while (await storage.exists('used/1/old')) await new Promise(setImmediate);
    expect(heard).toEqual([]);
  });

  it('what is removed through a view without a word, and what is not is told', async () => {
    const view = new ScopedStorage(storage, 'view/');
    const silently = { [changeHold]: ChangeHold.silent() };
    for (const key of ['a/1', 'a/2', 'b', 'c']) await view.put(key, '');
    heard.length = 0;
    await view.deletePrefix('a/', silently);
    await view.deleteMany(['b'], silently);
    expect(heard).toEqual([]);
    await view.deletePrefix('c');
    expect(heard).toMatchObject([{ type: 'deleted', key: 'view/c' }]);
  });
});
