import { setTimeout as delay } from 'node:timers/promises';
import { TimeoutError } from '../../contract/index.js';
import type { DeadOwners } from './dead-owners.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { Folders } from './folders.js';
import type { Layout } from './layout.js';
import { isLongLock, lockHolder, lockName } from './lock-file.js';
import type { Owner } from './owner.js';
import { writeAll } from './source-writer.js';

/** How long a writer waits for the lock of another process. */
const TIMEOUT_MS = 30_000;
/** Between two tries, at most: short, since a lock is held for a few system calls and, where durable, a few fsyncs. */
const MAX_PAUSE_MS = 8;
/** How often the holder is asked whether it lives. */
const LIVENESS_MS = 50;

/** A writer's place in the queue of a key. It resolves when the next one's turn has come, to whether the lock could not be had in time. */
type Turn = Promise<boolean>;

/**
 * One writer at a time for each key: a queue within this storage, and between storages, in this process or another, the file that
 * only one link(2) can make.
 */
export class KeyLocks {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #owner: Owner;
  readonly #dead: DeadOwners;
  readonly #inMemoryOnly: boolean;
  readonly #heal: (key: string) => Promise<void>;
  readonly #queues = new Map<string, Turn>();
  readonly #timeoutMs: number;
  #files = 0;

  /**
   * @param inMemoryOnly for a storage that has the root for itself
   * @param heal completes or removes what a dead holder of the lock left behind
   */
  constructor(
    disk: Disk,
    layout: Layout,
    folders: Folders,
    owner: Owner,
    dead: DeadOwners,
    inMemoryOnly: boolean,
    heal: (key: string) => Promise<void>,
    timeoutMs: number = TIMEOUT_MS,
  ) {
    this.#disk = disk;
    this.#layout = layout;
    this.#folders = folders;
    this.#owner = owner;
    this.#dead = dead;
    this.#inMemoryOnly = inMemoryOnly;
    this.#heal = heal;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws TimeoutError when another process has held the key for 30 seconds of the wait
   * @throws the signal's reason when it fires during the wait
   */
  async hold<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const joined = performance.now();
    const before = this.#queues.get(key);
    let leave: (timedOut: boolean | Turn) => void = () => undefined;
    const turn: Turn = new Promise((resolve) => {
      leave = resolve;
    });
    this.#queues.set(key, turn);
    let left: boolean | Turn = before ?? false; // whoever gives up while it waits lets nobody past those before it
    try {
      const stuck = (await orAborted(before, signal)) === true;
      left = false;
      if (this.#inMemoryOnly) return await work();
      // Those behind one that has waited in vain have waited for the same lock.
      return await this.#holdFile(key, signal, stuck ? joined : performance.now(), work);
    } catch (error) {
      if (left === false) left = error instanceof TimeoutError;
      throw error;
    } finally {
      leave(left);
      void turn.then(() => {
        if (this.#queues.get(key) === turn) this.#queues.delete(key);
      });
    }
  }

  /** Both, in an order that all writers keep, so that no two wait for each other. */
  holdBoth<T>(a: string, b: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const [first, second] = a < b ? [a, b] : [b, a];
    return this.hold(first, signal, () => this.hold(second, signal, work));
  }

  async #holdFile<T>(key: string, signal: AbortSignal | undefined, start: number, work: () => Promise<T>): Promise<T> {
    const path = `${this.#layout.locks}/${lockName(key)}`;
    await this.#acquire(key, path, signal, start);
    try {
      return await work();
    } finally {
      await unless(this.#disk.unlink(path), 'ENOENT');
    }
  }

  async #acquire(key: string, path: string, signal: AbortSignal | undefined, start: number): Promise<void> {
    if (await this.#tryLock(key, path)) return;
    let asked = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      await delay(1 + Math.random() * (MAX_PAUSE_MS - 1));
      if (await this.#tryLock(key, path)) return;
      const now = performance.now();
      if (now - asked >= LIVENESS_MS) {
        asked = now;
        const holder = await lockHolder(this.#disk, path);
        if (holder !== undefined) await this.#dead.breakIfDead(path, holder, () => this.#heal(key));
      }
      if (now - start > this.#timeoutMs) {
        throw new TimeoutError(`Another writer has held this key for ${this.#timeoutMs / 1000} seconds.`, { key });
      }
    }
  }

  async #tryLock(key: string, path: string): Promise<boolean> {
    for (;;) {
      try {
        // A link costs a third of a symbolic link, but has no room for a key that is too long for the lock's own name.
        if (isLongLock(path)) await this.#makeLong(path, `${this.#owner.id}/${key}`);
        else await this.#disk.link(this.#owner.path, path);
        return true;
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'EEXIST') return false;
        if (errno === 'EMLINK') {
          await this.#owner.renew();
          continue;
        }
        if (errno !== 'ENOENT') throw error;
        // The folder went with a neighbour that closed, or a stranger has removed it.
        const { locks, owners, temporary } = this.#layout;
        for (const folder of [locks, owners, temporary]) if (!(await this.#folders.make(folder))) throw error;
        await this.#owner.restore();
      }
    }
  }

  async #makeLong(path: string, text: string): Promise<void> {
    try {
      await this.#disk.symlink(text, path);
    } catch (error) {
      // A link of XFS has 1,024 bytes (XFS_SYMLINK_MAXLEN): the longest key, and none for its owner.
      if (errnoOf(error) !== 'ENAMETOOLONG') throw error;
      await this.#linkFile(path, text);
    }
  }

  /** A lock that holds its text as a file: whole before it has the name of a lock, and swept with its owner until then. */
  async #linkFile(path: string, text: string): Promise<void> {
    const temporary = `${this.#layout.temporary}/${this.#owner.id}.lock${this.#files++}`;
    let isMade = false;
    try {
      const fd = await this.#disk.open(temporary, 'wx', 0o644);
      try {
        await writeAll(this.#disk, fd, [Buffer.from(text)]);
        // A lock must not come back empty after a power cut: nobody could tell whose it was.
        await this.#disk.fsync(fd);
      } finally {
        await this.#disk.close(fd);
      }
      await this.#disk.link(temporary, path);
      isMade = true;
      await this.#disk.unlink(temporary);
    } catch (error) {
      if (isMade) await this.#disk.unlink(path);
      await unless(this.#disk.unlink(temporary), 'ENOENT');
      throw error;
    }
  }
}

/** Waits for a promise no longer than until the signal fires. */
async function orAborted<T>(promise: Promise<T> | undefined, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (promise === undefined || signal === undefined) return promise;
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own, whatever it is
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
