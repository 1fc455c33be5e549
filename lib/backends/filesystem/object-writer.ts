import {
  FileExistsError,
  FileNotFoundError,
  PreconditionFailedError,
  StorageError,
  type FileAttributes,
  type StoredFile,
} from '../../contract/index.js';
import type { AttributeFiles } from './attribute-files.js';
import { defaultAttributes, encodeAttributes, type StoredAttributes } from './attributes-text.js';
import { errnoOf, unless, type Disk } from './disk.js';
import { etagOf, type Generation, type Generations } from './generation.js';
import type { KeyLocks } from './key-locks.js';
import { NOTHING_THERE, type Location, type ObjectTree, type StoredObject } from './object-tree.js';
import { describeObject } from './describe-object.js';
import { hasExactStampAfter, stampsAfter, toNanoseconds } from './version-clock.js';
import type { TemporaryFile, TemporaryFiles } from './temporary-files.js';

/** How often a commit looks again after it lost a race about folders, which others make and remove beside it. */
const MAX_TRIES = 1000;

/** What must hold at the commit. */
export interface CommitConditions {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
  /** Nobody else knows the key, and the object has default attributes. */
  readonly fresh?: boolean;
}

/** Changes what is visible, one key at a time under its lock: commit, delete, move. */
export class ObjectWriter {
  readonly #disk: Disk;
  readonly #tree: ObjectTree;
  readonly #attributes: AttributeFiles;
  readonly #temporaries: TemporaryFiles;
  readonly #locks: KeyLocks;
  readonly #generations: Generations;

  constructor(
    disk: Disk,
    tree: ObjectTree,
    attributes: AttributeFiles,
    temporaries: TemporaryFiles,
    locks: KeyLocks,
    generations: Generations,
  ) {
    this.#disk = disk;
    this.#tree = tree;
    this.#attributes = attributes;
    this.#temporaries = temporaries;
    this.#locks = locks;
    this.#generations = generations;
  }

  /** Makes a temporary file the object of a key. When it fails the temporary is still the caller's to remove. */
  commit(
    key: string,
    temporary: TemporaryFile,
    attributes: FileAttributes,
    conditions: CommitConditions,
  ): Promise<StoredFile> {
    if (conditions.fresh === true) return this.#commitFresh(key, temporary, attributes, conditions);
    return this.#commitLocked(key, temporary, attributes, conditions);
  }

  /** Without a lock, where there is no other writer to be kept apart and no attribute file that a crash could leave behind. */
  async #commitFresh(
    key: string,
    temporary: TemporaryFile,
    attributes: FileAttributes,
    conditions: CommitConditions,
  ): Promise<StoredFile> {
    conditions.signal?.throwIfAborted();
    let isPlaced: boolean;
    try {
      isPlaced = await this.#tree.placeFresh(key, temporary.path);
    } catch (error) {
      // the folders that were made for it
      await this.#tree.pruneKey(key).catch(() => undefined);
      throw error;
    }
    if (isPlaced) return describeObject(key, temporary.generation, attributes, undefined);
    return this.#commitLocked(key, temporary, attributes, conditions);
  }

  #commitLocked(
    key: string,
    temporary: TemporaryFile,
    attributes: FileAttributes,
    conditions: CommitConditions,
  ): Promise<StoredFile> {
    return this.#locks.hold(key, conditions.signal, () =>
      this.#orHeal([key], () => this.#commit(key, temporary, attributes, conditions)),
    );
  }

  async #commit(
    key: string,
    temporary: TemporaryFile,
    attributes: FileAttributes,
    conditions: CommitConditions,
  ): Promise<StoredFile> {
    const text = encodeAttributes(key, attributes);
    let staged = temporary;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const location = await this.#tree.locate(key);
      const current = location.object;
      await this.#check(key, current, conditions);
      if (current !== undefined && staged.generation.mtimeNs <= current.generation.mtimeNs) {
        staged = await this.#temporaries.stampAfter(staged, current.generation);
      }
      conditions.signal?.throwIfAborted();
      const outcome = await this.#withAttributes(key, staged, text, () =>
        this.#put(key, staged.path, location, conditions),
      );
      if (outcome !== 'placed') continue;
      if (current?.generation.marked === true) await this.#attributes.remove(key, current.generation);
      return describeObject(key, staged.generation, attributes, text);
    }
    throw changedTooOften(key);
  }

  #put(key: string, path: string, location: Location, conditions: CommitConditions): ReturnType<ObjectTree['place']> {
    return location.object === undefined
      ? this.#tree.place(key, path, location.naturalPath, conditions.ifNoneMatch === '*')
      : this.#tree.replace(path, location.object);
  }

  /** Attributes are there before the body is, and go again when it does not come. */
  async #withAttributes<T>(
    key: string,
    { path, generation }: TemporaryFile,
    text: string | undefined,
    place: () => Promise<T | 'placed'>,
  ): Promise<T | 'placed'> {
    if (text === undefined) return place();
    await this.#attributes.write(key, generation, text);
    let outcome: T | 'placed' | undefined;
    try {
      outcome = await place();
      return outcome;
    } finally {
      // Only while the body still is the temporary one: a step that failed after the rename has made it visible.
      if (outcome !== 'placed' && (await unless(this.#disk.lstat(path), 'ENOENT')) !== undefined) {
        await this.#attributes.remove(key, generation);
      }
    }
  }

  delete(key: string, conditions: { readonly ifMatch?: string; readonly signal?: AbortSignal }): Promise<boolean> {
    return this.#locks.hold(key, conditions.signal, () =>
      this.#orHeal([key], async () => {
        const current = (await this.#tree.locate(key)).object;
        if (current === undefined) return false;
        await this.#check(key, current, conditions);
        conditions.signal?.throwIfAborted();
        return this.#remove(key, current);
      }),
    );
  }

  async #remove(key: string, object: StoredObject): Promise<boolean> {
    const removed = await this.#tree.remove(key, object);
    if (object.generation.marked) await this.#attributes.remove(key, object.generation);
    return removed;
  }

  /**
   * Moves an object by its own rename, so that it is under one of the two keys at every moment.
   *
   * @returns `undefined` when that cannot be, as its file would have to be changed: it is to have a later time, or the mark, and has another
   * name beside this one; or that time is one that the file system may not keep exactly; or it lies on another file system
   */
  async move(source: string, destination: string, conditions: CommitConditions): Promise<StoredFile | undefined> {
    try {
      return await this.#locks.holdBoth(source, destination, conditions.signal, () =>
        this.#orHeal([source, destination], () => this.#move(source, destination, conditions)),
      );
    } catch (error) {
      if (errnoOf(error) === 'EXDEV') return undefined;
      throw error;
    }
  }

  /** A call of the system that fails in the middle leaves what a crash does: folders without objects, attributes without theirs. */
  async #orHeal<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (errnoOf(error) !== undefined) {
        // where the disk fails again the first error tells more
        for (const key of keys) await healKey(this.#tree, this.#attributes, key).catch(() => undefined);
      }
      throw error;
    }
  }

  async #move(source: string, destination: string, conditions: CommitConditions): Promise<StoredFile | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      let object = (await this.#tree.locate(source)).object;
      if (object === undefined) throw new FileNotFoundError(source);
      const location = await this.#tree.locate(destination);
      const current = location.object;
      await this.#check(destination, current, conditions);
      const attributes = await this.#attributesOf(source, object.generation);
      const text = encodeAttributes(destination, attributes);
      conditions.signal?.throwIfAborted();
      const older = current !== undefined && object.generation.mtimeNs <= current.generation.mtimeNs;
      const toMark = text !== undefined && !object.generation.marked;
      if ((older || toMark) && (await this.#isShared(object.path))) return undefined;
      if (older) {
        if (!this.#generations.exactTimes || !hasExactStampAfter(current.generation.mtimeNs)) return undefined;
        object = await this.#stampAfter(source, object, current.generation);
      }
      // A mark without attributes means default ones: this changes nothing for the readers of the source.
      if (toMark) await this.#mark(object.path);
      const generation = { ...object.generation, marked: text !== undefined };
      const outcome = await this.#withAttributes(destination, { path: object.path, generation }, text, () =>
        // Also to create only, which the lock sees to: a link and an unlink would leave a killed process's object under both keys.
        this.#put(destination, object.path, location, {}),
      );
      if (outcome !== 'placed') continue;
      if (current?.generation.marked === true) await this.#attributes.remove(destination, current.generation);
      await this.#forget(source, object);
      return describeObject(destination, generation, attributes, text);
    }
    throw changedTooOften(destination);
  }

  /** Whether the file has another name, in a backup of links (`cp -al`) or under another key: its time and mode are those of both. */
  async #isShared(path: string): Promise<boolean> {
    return (await this.#disk.lstat(path)).nlink > 1n;
  }

  /** Gives a living object a later time: its attributes lie ready under that before it has it. */
  async #stampAfter(key: string, object: StoredObject, version: Generation): Promise<StoredObject> {
    const { path, generation } = object;
    const [stamp = 0] = stampsAfter(version.mtimeNs);
    const later = { ...generation, mtimeNs: toNanoseconds(stamp) };
    const stored = await this.#stored(key, generation);
    if (stored !== undefined) await this.#attributes.write(key, later, stored.text);
    await this.#disk.utimes(path, stamp);
    await this.#temporaries.flush(path);
    if (generation.marked) await this.#attributes.remove(key, generation);
    return { path, generation: later };
  }

  async #mark(path: string): Promise<void> {
    const { mode } = await this.#disk.lstat(path);
    await this.#disk.chmod(path, (Number(mode) & 0o777) | this.#generations.mark);
    await this.#temporaries.flush(path);
  }

  /** What is left of a source after its body went. */
  async #forget(source: string, object: StoredObject): Promise<void> {
    // rename(2) does nothing when both paths are one file already: somebody has linked them meanwhile.
    const left = await unless(this.#disk.lstat(object.path), ...NOTHING_THERE);
    if (left?.ino === object.generation.inode) await this.#disk.unlink(object.path);
    await this.#tree.flushAndPrune(object.path);
    if (object.generation.marked) await this.#attributes.remove(source, object.generation);
  }

  async #attributesOf(key: string, generation: Generation): Promise<FileAttributes> {
    return (await this.#stored(key, generation))?.attributes ?? defaultAttributes(key);
  }

  async #stored(key: string, generation: Generation): Promise<StoredAttributes | undefined> {
    return generation.marked ? this.#attributes.read(key, generation) : undefined;
  }

  async #check(key: string, current: StoredObject | undefined, conditions: CommitConditions): Promise<void> {
    if (conditions.ifNoneMatch === '*' && current !== undefined) throw new FileExistsError(key);
    if (conditions.ifMatch === undefined) return;
    if (current === undefined) throw new PreconditionFailedError('There is no file to match ifMatch.', { key });
    const { generation } = current;
    const text = (await this.#stored(key, generation))?.text;
    if (etagOf(generation, text) !== conditions.ifMatch) {
      throw new PreconditionFailedError('The file is another version than ifMatch names.', { key });
    }
  }
}

function changedTooOften(key: string): StorageError {
  return new StorageError('The folders of the key keep changing; the write was given up.', { key, retryable: true });
}

/** Completes or removes what a dead or failed writer left of a key. Only the lock's holder calls this. */
export async function healKey(tree: ObjectTree, attributes: AttributeFiles, key: string): Promise<void> {
  const current = (await tree.locate(key)).object;
  await attributes.removeAllBut(key, current?.generation);
  await tree.pruneKey(key);
}
