import { parentOf } from './layout.js';
import { errnoOf, type Disk } from './disk.js';

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
  readonly #unsynced = new Set<string>();

  constructor(disk: Disk, durable: boolean) {
    this.#disk = disk;
    this.#durable = durable;
  }

  /** Remembers that a folder was made: whoever then makes something inside durable makes it durable too. */
  made(folder: string): void {
    if (this.#durable) this.#unsynced.add(parentOf(folder));
  }

  /** @throws the system's ENOENT when there is no such folder */
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
      opening: this.#disk.open(path, 'r'),
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
    folder.next ??= folder.running
      .catch(() => undefined) // its own callers hear of it
      .then(() => {
        folder.next = undefined;
        return this.#flush(folder);
      });
    return folder.next;
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
      if (this.#unsynced.has(folder)) {
        await this.#syncOnce(folder);
        this.#unsynced.delete(folder);
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
