import type { Readable } from 'node:stream';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';
import {
  freezeStoredFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from '../../../lib/contract/index.js';

/** Long enough that a crash falls into it soon. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Says that an object is stored before it is. Its own next step waits all the same, so that only a crash tells. */
class EarlyStorage extends SQLiteStorage {
  readonly #late = new Set<Promise<unknown>>();

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    await Promise.all(this.#late);
    const staged = await super._stage(key, source, options);
    const late = aWhile().then(() => staged.commit());
    this.#late.add(late);
    void late.then(() => this.#late.delete(late));
    return freezeStoredFile({ ...options, key, size: staged.size, etag: 'early', lastModified: new Date() });
  }

  protected override async _stage(...args: [string, Readable, ResolvedPutOptions]): Promise<StagedBytes> {
    await Promise.all(this.#late);
    return super._stage(...args);
  }

  protected override async _delete(...args: [string, ResolvedDeleteOptions]): Promise<void> {
    await Promise.all(this.#late);
    return super._delete(...args);
  }

  protected override async _copy(...args: [string, string, ResolvedCopyOptions]): Promise<StoredFile> {
    await Promise.all(this.#late);
    return super._copy(...args);
  }

  protected override async _move(...args: [string, string, ResolvedCopyOptions]): Promise<StoredFile> {
    await Promise.all(this.#late);
    return super._move(...args);
  }
}

/** Makes room for the new object before it is there. */
class DeletingStorage extends SQLiteStorage {
  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    await super._delete(key, { force: true });
    await aWhile();
    return super._put(key, source, options);
  }
}

/** Commits the body first, with the attributes of the old object, and then the new ones. */
class TwoStepStorage extends SQLiteStorage {
  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const file = await super._put(key, source, { ...options, metadata: { token: 'of another version' } });
    const bytes = await super._getBytes(key, {});
    await aWhile();
    return super._put(key, source, { ...options, bytes, ifMatch: file.etag });
  }
}

/** Moves by a copy and a delete of its own. */
class CopyingStorage extends SQLiteStorage {
  protected override async _move(source: string, destination: string): Promise<StoredFile> {
    const file = await super._copy(source, destination, {});
    await aWhile();
    await super._delete(source, { force: true });
    return file;
  }
}

/** Storages that break one promise each, for the judge to find. */
export const BROKEN: ReadonlyMap<string, typeof SQLiteStorage> = new Map<string, typeof SQLiteStorage>([
  ['acknowledging early', EarlyStorage],
  ['deleting first', DeletingStorage],
  ['two steps', TwoStepStorage],
  ['moving in two steps', CopyingStorage],
]);
