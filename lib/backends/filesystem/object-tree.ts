import { StorageError } from '../../contract/index.js';
import type { DirectorySync } from './directory-sync.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { Folders } from './folders.js';
import type { Generation, Generations } from './generation.js';
import { parentOf, type Layout } from './layout.js';

/** A stored object: a regular file at one of the two paths of its key. */
export interface StoredObject {
  readonly path: string;
  readonly generation: Generation;
}

/** What is found under a key. */
export interface Location {
  readonly object: StoredObject | undefined;
  /** Whether a new object may lie at the ordinary path, unless folders are in the way. */
  readonly naturalPath: string | undefined;
}

/** `again`: another one was faster, look again. */
export type PlaceOutcome = 'placed' | 'exists' | 'again';

/** A key that ends in a random UUID (RFC 9562, section 5.4) and perhaps an extension: two of them are never the same. */
const RANDOM = /(?:^|\/)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:\.[0-9A-Za-z]+)?$/;

/** The two trees in which objects lie. An object stays where it was placed until it is deleted. */
export class ObjectTree {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #sync: DirectorySync;
  readonly #generations: Generations;

  constructor(disk: Disk, layout: Layout, folders: Folders, sync: DirectorySync, generations: Generations) {
    this.#disk = disk;
    this.#layout = layout;
    this.#folders = folders;
    this.#sync = sync;
    this.#generations = generations;
  }

  async locate(key: string): Promise<Location> {
    const natural = this.#layout.natural(key);
    let free = natural;
    if (natural !== undefined) {
      const [stats, reachable] = await Promise.all([
        unless(this.#disk.lstat(natural), ...NOTHING_THERE),
        this.isReachable(key, natural),
      ]);
      if (!reachable) free = undefined;
      else if (stats?.isFile() === true) return found(natural, this.#generations.of(stats));
      // A link, a socket, a FIFO: whoever put it there still needs it.
      else if (stats?.isDirectory() === false) free = undefined;
    }
    const overflow = this.#layout.overflow(key);
    const stats = await unless(this.#disk.lstat(overflow), ...NOTHING_THERE);
    if (stats?.isFile() === true) return found(overflow, this.#generations.of(stats));
    return { object: undefined, naturalPath: free };
  }

  /** Whether the way to an ordinary path is one of folders only, so that it does not lead out of the root by a symbolic link. */
  async isReachable(key: string, natural: string): Promise<boolean> {
    return !key.includes('/') || (await this.#folders.state(parentOf(natural))) !== 'blocked';
  }

  /** The one step that makes a new version of an object visible: all of it at once. */
  async replace(temporary: string, object: StoredObject): Promise<PlaceOutcome> {
    const folder = parentOf(object.path);
    try {
      const held = await this.#sync.hold(folder);
      try {
        await this.#disk.rename(temporary, object.path);
        await held.flush();
      } finally {
        await held.release();
      }
      return 'placed';
    } catch (error) {
      // Only strangers do that: every writer of this library holds the key's lock.
      return this.#lostTo(error, temporary, 'ENOENT', 'ENOTDIR', 'EISDIR');
    }
  }

  /** Puts a new object at its ordinary path if that can be, else into the overflow tree. */
  async place(
    key: string,
    temporary: string,
    naturalPath: string | undefined,
    createOnly: boolean,
  ): Promise<PlaceOutcome> {
    if (naturalPath !== undefined) {
      const outcome = await this.#placeAt(naturalPath, temporary, createOnly);
      if (outcome !== 'conflict') return outcome;
    }
    const overflow = this.#layout.overflow(key);
    let outcome = await this.#placeAt(overflow, temporary, createOnly);
    // Its folder was made: the ordinary path may have become free meanwhile, and the folder would stay without an object.
    if (outcome === 'again') outcome = await this.#placeAt(overflow, temporary, createOnly);
    if (outcome !== 'conflict') return outcome;
    throw new StorageError(
      'The file system has no place for this key: its path is too long there, or something stands in its way in the private folder.',
      { key },
    );
  }

  /**
   * Puts the object of a key that nobody else knows at its ordinary path, without a look at what is there. A link replaces nothing; the
   * rename of one that is random by its form might, and spares a call.
   *
   * @returns whether it is there now; otherwise something is in the way, which only the lock's holder may decide about
   */
  async placeFresh(key: string, temporary: string): Promise<boolean> {
    const path = this.#layout.natural(key);
    if (path === undefined || (key.includes('/') && !(await this.isReachable(key, path)))) return false;
    return (await this.#placeAt(path, temporary, !RANDOM.test(key))) === 'placed';
  }

  async #placeAt(path: string, temporary: string, createOnly: boolean): Promise<PlaceOutcome | 'conflict'> {
    const folder = parentOf(path);
    try {
      const held = await this.#sync.hold(folder);
      try {
        if (createOnly) {
          await this.#create(temporary, path);
        } else {
          await this.#disk.rename(temporary, path);
        }
        try {
          await held.flush();
        } catch (error) {
          // The caller will be told that it failed. Nothing was there before: then nothing is to be there after it.
          await unless(this.#disk.rename(path, temporary), 'ENOENT');
          throw error;
        }
      } finally {
        await held.release();
      }
      return 'placed';
    } catch (error) {
      switch (errnoOf(error)) {
        case 'ENOTDIR':
        case 'ENAMETOOLONG':
        case 'ELOOP':
          return 'conflict';
        case 'EXDEV':
          // Another file system is mounted at the ordinary path. In the private folder there is none: then what is to be placed lies on one.
          if (path.startsWith(`${this.#layout.overflowTree}/`)) throw error;
          return 'conflict';
        case 'ENOENT': {
          if ((await this.#folders.state(folder)) === 'there') return this.#lostTo(error, temporary, 'ENOENT');
          return (await this.#folders.make(folder)) ? 'again' : 'conflict';
        }
        case 'EISDIR':
        case 'EEXIST':
        case 'ENOTEMPTY':
          return this.#inTheWay(path);
        default:
          throw error;
      }
    }
  }

  /** As a rename that replaces nothing. */
  async #create(temporary: string, path: string): Promise<void> {
    await this.#disk.link(temporary, path);
    try {
      await unless(this.#disk.unlink(temporary), 'ENOENT');
    } catch (error) {
      // The caller will be told that it failed: then it must not be there, and without its attributes at that.
      await this.#disk.unlink(path);
      throw error;
    }
  }

  async #inTheWay(path: string): Promise<PlaceOutcome | 'conflict'> {
    const stats = await unless(this.#disk.lstat(path), ...NOTHING_THERE);
    if (stats === undefined) return 'again';
    if (stats.isFile()) return 'exists';
    if (!stats.isDirectory()) return 'conflict';
    return (await this.#folders.removeEmptyTree(path)) ? 'again' : 'conflict';
  }

  /** Tells a lost race from the loss of the temporary file itself, which no second try brings back. */
  async #lostTo(error: unknown, temporary: string, ...errnos: readonly string[]): Promise<PlaceOutcome> {
    if (!errnos.includes(errnoOf(error) ?? '')) throw error;
    if ((await unless(this.#disk.lstat(temporary), 'ENOENT')) === undefined) throw error;
    return 'again';
  }

  /** Removes an object and the folders that are empty with it. @returns false when it was gone already */
  async remove(key: string, object: StoredObject): Promise<boolean> {
    const overflow = this.#layout.overflow(key);
    if (object.path !== overflow) await this.#removeShadowed(overflow);
    const folder = parentOf(object.path);
    try {
      const held = await this.#sync.hold(folder);
      try {
        await this.#disk.unlink(object.path);
        await held.flush();
      } finally {
        await held.release();
      }
    } catch (error) {
      if (NOTHING_THERE.includes(errnoOf(error) ?? '')) return false;
      throw error;
    }
    await this.pruneAbove(object.path);
    return true;
  }

  /** An object that a stranger's file hides must not come to light when that file is deleted. */
  async #removeShadowed(overflow: string): Promise<void> {
    const stats = await unless(this.#disk.lstat(overflow), ...NOTHING_THERE);
    if (stats === undefined) return;
    const held = await this.#sync.hold(parentOf(overflow));
    try {
      await unless(this.#disk.unlink(overflow), 'ENOENT');
      await held.flush();
    } finally {
      await held.release();
    }
    await this.pruneAbove(overflow);
  }

  /** Makes the absence of a path durable, and removes the folders that are empty without it. */
  async flushAndPrune(path: string): Promise<void> {
    const held = await unless(this.#sync.hold(parentOf(path)), 'ENOENT');
    try {
      await held?.flush();
    } finally {
      await held?.release();
    }
    await this.pruneAbove(path);
  }

  /** Removes the folder of a path if it is empty, and those above it. */
  async pruneAbove(path: string): Promise<void> {
    const top = path.startsWith(`${this.#layout.private}/`) ? this.#layout.overflowTree : this.#layout.root;
    await this.#folders.prune(parentOf(path), top);
  }

  /** Removes empty folders that a dead writer may have made for a key. */
  async pruneKey(key: string): Promise<void> {
    const natural = this.#layout.natural(key);
    if (natural !== undefined && (await this.isReachable(key, natural))) await this.pruneAbove(natural);
    await this.pruneAbove(this.#layout.overflow(key));
  }
}

/** What lstat says of a path at which there is nothing. */
export const NOTHING_THERE: readonly string[] = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

function found(path: string, generation: Generation): Location {
  return { object: { path, generation }, naturalPath: undefined };
}
