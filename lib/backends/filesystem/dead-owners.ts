import { errnoOf, unless, type Disk } from './disk.js';
import type { Folders } from './folders.js';
import type { Layout } from './layout.js';
import type { Liveness } from './liveness.js';
import { hashOfPair, type Owner } from './owner.js';
import { lockHolder } from './lock-file.js';

/** Takes locks from owners that died with them. */
export class DeadOwners {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #owner: Owner;
  readonly #liveness: Liveness;

  constructor(disk: Disk, layout: Layout, folders: Folders, owner: Owner, liveness: Liveness) {
    this.#disk = disk;
    this.#layout = layout;
    this.#folders = folders;
    this.#owner = owner;
    this.#liveness = liveness;
  }

  isDead(owner: string): Promise<boolean> {
    return this.#liveness.isDead(owner);
  }

  /**
   * Removes a lock whose holder is dead.
   *
   * @param heal completes or removes what the holder left. Before the lock goes: whoever dies in between leaves both for the next.
   * @returns whether this call removed it
   */
  breakIfDead(path: string, holder: string, heal?: () => Promise<void>): Promise<boolean> {
    return this.#breakIfDead(path, holder, () => lockHolder(this.#disk, path), heal);
  }

  /** Removes a guard whose maker is dead. */
  async breakGuardIfDead(path: string): Promise<boolean> {
    const maker = await this.#guardMaker(path);
    return maker !== undefined && this.#breakIfDead(path, maker, () => this.#guardMaker(path));
  }

  async #breakIfDead(
    path: string,
    holder: string,
    ask: () => Promise<string | undefined>,
    heal?: () => Promise<void>,
  ): Promise<boolean> {
    if (!(await this.#liveness.isDead(holder))) return false;
    const guard = `${this.#layout.guards}/${hashOfPair(path.slice(this.#layout.private.length), holder)}`;
    if (!(await this.#makeGuard(guard))) {
      await this.breakGuardIfDead(guard);
      return false;
    }
    try {
      // Again, now that nobody else can break it: between the look and the guard another one may have broken it and a third may
      // hold it. Removing it at once gives a key two holders.
      if ((await ask()) !== holder) return false;
      await heal?.();
      await unless(this.#disk.unlink(path), 'ENOENT');
      return true;
    } finally {
      await this.#disk.unlink(guard);
    }
  }

  async #makeGuard(guard: string): Promise<boolean> {
    for (;;) {
      try {
        await this.#disk.symlink(this.#owner.id, guard);
        return true;
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'EEXIST') return false;
        if (errno !== 'ENOENT') throw error;
        if (!(await this.#folders.make(this.#layout.guards))) throw error;
      }
    }
  }

  #guardMaker(path: string): Promise<string | undefined> {
    return unless(this.#disk.readlink(path), 'ENOENT', 'EINVAL');
  }
}
