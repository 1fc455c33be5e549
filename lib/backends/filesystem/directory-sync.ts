import { constants } from 'node:fs';
import { parentOf } from './layout.js';
import { errnoOf, type Disk } from './disk.js';

/** Nothing but a folder: to open a FIFO in its place would wait for a writer that never comes. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A folder that is kept open while an entry of it is changed. */
export interface HeldFolder {
  /** Resolves once every entry that was changed before this call is on the disk. */
  flush(): Promise<void>;
  release(): Promise<void>;
}

interface OpenFolder {
  readonly path: string;
  readonly opening: Promise<number>;
  holders: number;
  /** The fsync that is under way, and the one that begins after it for all who came meanwhile. */
  running: Promise<void> | undefined;
  next: Promise<void> | undefined;
}

/** A folder in which folders were made. */
interface ChangedFolder {
  /** Rises with every change. */
  changes: number;
  /** How many folders are being made in it at the moment. */
  makers: number;
}

const NOT_SYNCED: HeldFolder = { flush: () => Promise.resolve(), release: () => Promise.resolve() };

/**
 * Makes changes of folders durable. A folder is opened before its entry is changed, so that a lack of descriptors is known while
 * nothing has happened yet. One fsync of a folder is under way at a time, and those who come meanwhile share the next.
 */
export class DirectorySync {
  readonly #disk: Disk;
  readonly #durable: boolean;
  readonly #open = new Map<string, OpenFolder>();
  /** Folders in which this process made a folder that may not be on the disk yet. */
  readonly #unsynced = new Map<string, ChangedFolder>();

  constructor(disk: Disk, durable: boolean) {
    this.#disk = disk;
    this.#durable = durable;
  }

  /** Makes a folder and remembers it: whoever then makes something inside durable makes it durable too. */
  async making(folder: string, make: () => Promise<void>): Promise<void> {
    if (!this.#durable) return make();
    const parent = parentOf(folder);
    const changed = this.#unsynced.get(parent) ?? { changes: 0, makers: 0 };
    this.#unsynced.set(parent, changed);
    // Known before it is there: others may find the folder before this call hears that it was made.
    changed.makers++;
    try {
      await make();
    } finally {
      changed.makers--;
      changed.changes++;
    }
  }

  /** @throws the system's ENOENT or ENOTDIR when there is no such folder */
  async hold(path: string): Promise<HeldFolder> {
    if (!this.#durable) return NOT_SYNCED;
    const folder = this.#open.get(path) ?? this.#add(path);
    folder.holders++;
    try {
      await folder.opening;
    } catch (error) {
      folder.holders--;
      this.#forget(folder);
      throw error;
    }
    let released = false;
    return {
      flush: async () => {
        await this.#flush(folder);
        await this.#flushParents(path);
      },
      release: async () => {
        if (released) return;
        released = true;
        await this.#release(folder);
      },
    };
  }

  #add(path: string): OpenFolder {
    const folder: OpenFolder = {
      path,
      opening: this.#disk.open(path, OPEN_FLAGS),
      holders: 0,
      running: undefined,
      next: undefined,
    };
    this.#open.set(path, folder);
    return folder;
  }

  #flush(folder: OpenFolder): Promise<void> {
    if (folder.running === undefined) {
      folder.running = this.#fsync(folder).finally(() => {
        folder.running = undefined;
      });
      return folder.running;
    }
    // The fsync that runs may have begun before this caller's change.
    folder.next ??= this.#flushAfter(folder, folder.running);
    return folder.next;
  }

  /**
   * When the one before fails, so does this: what was changed meanwhile may have been in it, and the next fsync would say that all is well, as the
   * kernel tells of a failed write once (fsync(2), and its errors since Linux 4.13).
   */
  async #flushAfter(folder: OpenFolder, running: Promise<void>): Promise<void> {
    try {
      await running;
    } finally {
      folder.next = undefined;
    }
    return this.#flush(folder);
  }

  async #fsync(folder: OpenFolder): Promise<void> {
    const fd = await folder.opening;
    await this.#disk.fsync(fd);
    if ((await this.#disk.fstat(fd)).nlink > 0n) return;
    // Pruned since it was opened, and perhaps made again: that one is another folder, to be opened anew.
    this.#forget(folder);
    await this.#syncOnce(folder.path);
  }

  async #flushParents(path: string): Promise<void> {
    if (this.#unsynced.size === 0) return;
    for (let folder = parentOf(path); ; folder = parentOf(folder)) {
      const changed = this.#unsynced.get(folder);
      if (changed !== undefined) {
        const { changes } = changed;
        await this.#syncOnce(folder);
        // That fsync may have come too early for what was made meanwhile.
        const settled = changed.changes === changes && changed.makers === 0;
        if (settled && this.#unsynced.get(folder) === changed) this.#unsynced.delete(folder);
      }
      if (folder === '/') return;
    }
  }

  async #syncOnce(path: string): Promise<void> {
    let held: HeldFolder;
    try {
      held = await this.hold(path);
    } catch (error) {
      // It went with the last object inside: there is nothing left that could be lost.
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    try {
      await held.flush();
    } finally {
      await held.release();
    }
  }

  async #release(folder: OpenFolder): Promise<void> {
    folder.holders--;
    if (folder.holders > 0) return;
    this.#forget(folder);
    await this.#disk.close(await folder.opening);
  }

  #forget(folder: OpenFolder): void {
    if (this.#open.get(folder.path) === folder) this.#open.delete(folder.path);
  }
}
