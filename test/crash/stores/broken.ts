import type { BaseStorage, FileAttributes } from '../../../lib/contract/index.js';

type Break = (storage: BaseStorage) => void;

/** Long enough that a crash falls into it soon. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Says that an object is stored before it is. Its own next step waits all the same, so that only a crash tells. */
const acknowledgingEarly: Break = (storage) => {
  const late = new Set<Promise<unknown>>();
  const stage = storage.stage.bind(storage);
  const afterLate =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await Promise.all(late);
      return call(...args);
    };
  storage.put = afterLate(async (key, data, options = {}) => {
    const staged = await stage(key, data, options);
    const commit = aWhile().then(() => staged.commit());
    late.add(commit);
    void commit.then(() => late.delete(commit));
    const { contentType = '', metadata = {} } = options;
    return { key, size: staged.size, etag: 'early', lastModified: new Date(), contentType, metadata };
  });
  storage.stage = afterLate(stage);
  storage.delete = afterLate(storage.delete.bind(storage));
  storage.copy = afterLate(storage.copy.bind(storage));
  storage.move = afterLate(storage.move.bind(storage));
};

/** Makes room for the new object before it is there. */
const deletingFirst: Break = (storage) => {
  const put = storage.put.bind(storage);
  storage.put = async (key, data, options) => {
    await storage.delete(key, { force: true });
    await aWhile();
    return put(key, data, options);
  };
};

/** Commits the body first, with other attributes, and then its own. */
const twoSteps: Break = (storage) => {
  const put = storage.put.bind(storage);
  storage.put = async (key, data, options) => {
    const file = await put(key, data, { metadata: { version: 'aother-1' } } satisfies Partial<FileAttributes>);
    const bytes = await storage.getBytes(key);
    await aWhile();
    // another lane may have been faster
    return put(key, bytes, { ...options, ifMatch: file.etag }).catch(() => file);
  };
};

/** Moves by a copy and a delete of its own. */
const movingInTwoSteps: Break = (storage) => {
  storage.move = async (source, destination) => {
    const file = await storage.copy(source, destination);
    await aWhile();
    await storage.delete(source, { force: true });
    return file;
  };
};

/** Lets what was deleted come back when it is opened again. */
const forgettingDeletions: Break = (storage) => {
  const remove = storage.delete.bind(storage);
  storage.delete = async (key, options) => {
    await aWhile();
    if (key.startsWith('1/')) await storage.exists(key);
    else await remove(key, options);
  };
};

/** Promises that any storage can break, one each, for the judge to find. */
export const BROKEN: ReadonlyMap<string, Break> = new Map([
  ['acknowledging early', acknowledgingEarly],
  ['deleting first', deletingFirst],
  ['two steps', twoSteps],
  ['moving in two steps', movingInTwoSteps],
  ['forgetting deletions', forgettingDeletions],
]);
