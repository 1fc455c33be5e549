import { errnoOf, unless, type Disk } from './disk.js';
import type { DirectorySync } from './directory-sync.js';
import { parentOf } from './layout.js';

/**
 * Whether a folder is one: `blocked` when a file, or a symbolic link anywhere on the way from the root, stands in its place.
 */
export type FolderState = 'there' | 'missing' | 'blocked';

/** Makes and removes the folders of the object trees, and never follows a symbolic link. */
export class Folders {
  readonly #disk: Disk;
  readonly #sync: DirectorySync;
  readonly #mode: number | undefined;

  /** @param mode exact permission bits; by default the umask decides */
  constructor(disk: Disk, sync: DirectorySync, mode: number | undefined) {
    this.#disk = disk;
    this.#sync = sync;
    this.#mode = mode;
  }

  async state(folder: string): Promise<FolderState> {
    try {
      return (await this.#disk.realpath(folder)) === folder ? 'there' : 'blocked';
    } catch (error) {
      switch (errnoOf(error)) {
        case 'ENOENT':
          return 'missing';
        case 'ENOTDIR':
        case 'ELOOP':
        case 'ENAMETOOLONG':
          return 'blocked';
        default:
          throw error;
      }
    }
  }

  /** Makes a folder and those above it. @returns whether it is there; not when something stands in the way */
  async make(folder: string): Promise<boolean> {
    // Upward first, to what is there: mkdir itself would follow a link on the way and make folders outside.
    const missing: string[] = [];
    let state: FolderState = 'missing';
    for (let path = folder; state === 'missing'; path = parentOf(path)) {
      state = await this.state(path);
      if (state === 'missing') {
        // A link to nowhere is missing too, as mkdir would see it. A folder was made by another one at this moment.
        const stats = await unless(this.#disk.lstat(path), 'ENOENT', 'ENOTDIR');
        if (stats?.isDirectory() === false) return false;
        missing.unshift(path);
      }
    }
    if (state === 'blocked') return false;
    for (const path of missing) {
      try {
        await this.#makeOne(path);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'EEXIST') {
          if ((await this.state(path)) === 'blocked') return false;
        } else if (errno === 'ENOENT') {
          return this.make(folder); // pruned by another one meanwhile
        } else if (errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') {
          return false;
        } else {
          throw error;
        }
      }
    }
    return true;
  }

  #makeOne(path: string): Promise<void> {
    return this.#sync.making(path, async () => {
      await this.#disk.mkdir(path, { mode: this.#mode ?? 0o755 });
      if (this.#mode !== undefined) await this.#disk.chmod(path, this.#mode); // mkdir obeys the umask
    });
  }

  /** Removes a folder that is empty, then the one above, up to `top`, which stays. */
  async prune(folder: string, top: string): Promise<void> {
    for (let path = folder; path.length > top.length; path = parentOf(path)) {
      try {
        await this.#disk.rmdir(path);
      } catch (error) {
        // ENOENT: another one has removed it, and may have stopped here. Anything else is no longer ours to remove.
        if (errnoOf(error) !== 'ENOENT') return;
      }
    }
  }

  /** Removes a tree of empty folders. @returns whether it is gone; not when there is anything in it */
  async removeEmptyTree(folder: string): Promise<boolean> {
    const entries = await unless(this.#disk.readdir(folder), 'ENOENT', 'ENOTDIR');
    if (entries === undefined) return true;
    if (entries.some((entry) => !entry.isDirectory())) return false;
    for (const entry of entries) {
      if (!(await this.removeEmptyTree(`${folder}/${entry.name}`))) return false;
    }
    try {
      await this.#disk.rmdir(folder);
      return true;
    } catch (error) {
      switch (errnoOf(error)) {
        case 'ENOENT':
        case 'ENOTDIR':
          return true;
        case 'ENOTEMPTY':
        case 'EEXIST':
        case 'EBUSY':
          return false;
        default:
          throw error;
      }
    }
  }
}
