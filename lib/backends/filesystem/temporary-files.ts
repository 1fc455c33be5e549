import type { BigIntStats } from 'node:fs';
import type { Readable } from 'node:stream';
import { StorageError } from '../../contract/index.js';
import { errnoOf, unless, type Disk } from './disk.js';
import { truncatedWhileWritten } from './file-errors.js';
import type { Folders } from './folders.js';
import type { Generation, Generations } from './generation.js';
import type { Layout } from './layout.js';
import type { Owner } from './owner.js';
import { SourceWriter, writeAll } from './source-writer.js';
import { stampsAfter, VersionClock } from './version-clock.js';

/** Bytes that are whole, checked and, where the storage is durable, on the disk, and that nobody sees. */
export interface TemporaryFile {
  readonly path: string;
  readonly generation: Generation;
}

/** How a file system says that it cannot share blocks; ENOENT where /proc is not mounted. */
const NO_REFLINKS: ReadonlySet<string> = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOTTY',
  'ENOSYS',
  'EINVAL',
  'EPERM',
  'ENOENT',
]);

/** Writes what is not committed yet. Whatever fails, no temporary and no descriptor is left. */
export class TemporaryFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #folders: Folders;
  readonly #owner: Owner;
  readonly #generations: Generations;
  readonly #clock = new VersionClock();
  readonly #durable: boolean;
  readonly #mode: number | undefined;
  #count = 0;
  #streams = 0;
  #reflinks = process.platform === 'linux';

  /** @param mode exact permission bits; by default the umask decides */
  constructor(
    disk: Disk,
    layout: Layout,
    folders: Folders,
    owner: Owner,
    generations: Generations,
    durable: boolean,
    mode: number | undefined,
  ) {
    this.#disk = disk;
    this.#layout = layout;
    this.#folders = folders;
    this.#owner = owner;
    this.#generations = generations;
    this.#durable = durable;
    this.#mode = mode;
  }

  /**
   * @param marked whether attributes will be stored beside the file
   * @param stamped whether the file gets a time of its own, which tells the versions of a key apart; else the kernel's
   */
  write(body: Readable | Buffer, marked: boolean, stamped = true): Promise<TemporaryFile> {
    // In the same tick: a source that fails before anybody listens would never be heard of.
    return Buffer.isBuffer(body) ? this.#writeBytes(body, marked, stamped) : this.#writeStream(body, marked, stamped);
  }

  /** A path for a file of this owner. Should the owner die, it is swept. */
  nextPath(): string {
    return `${this.#layout.temporary}/${this.#owner.id}.${(this.#count++).toString(36)}`;
  }

  async remove(path: string): Promise<void> {
    await unless(this.#disk.unlink(path), 'ENOENT');
  }

  /**
   * A copy that shares the blocks of an open file.
   *
   * @returns `undefined` where the file system cannot; it is not asked again then
   */
  async reflink(source: number, size: number, marked: boolean): Promise<TemporaryFile | undefined> {
    if (!this.#reflinks) return undefined;
    const path = this.nextPath();
    try {
      // By its descriptor: at the path there may be another version by now.
      await this.#disk.reflink(`/proc/self/fd/${source}`, path);
    } catch (error) {
      await this.remove(path);
      // that of a source which lies on another file system tells nothing of this one
      if (errnoOf(error) === 'EXDEV') return undefined;
      if (!NO_REFLINKS.has(errnoOf(error) ?? '')) throw error;
      this.#reflinks = false;
      return undefined;
    }
    let fd: number | undefined;
    try {
      fd = await this.#disk.open(path, 'r+');
      const mode = this.#modeBits(marked);
      await this.#disk.fchmod(fd, mode); // that of the source came along
      return { path, generation: await this.#close(fd, size, mode, true) };
    } catch (error) {
      await this.remove(path);
      throw error;
    }
  }

  /** Gives a file a later time than a version has, whatever fractions of a second the file system keeps. */
  async stampAfter(temporary: TemporaryFile, version: Generation): Promise<TemporaryFile> {
    for (const stamp of stampsAfter(version.mtimeNs)) {
      const generation = await this.#stamp(temporary.path, stamp);
      if (generation.mtimeNs > version.mtimeNs) return this.#stamped(temporary.path, generation);
    }
    // The version has the last time that the file system keeps, as a stranger or a wrong clock gave it. Then the present one, which none had.
    const generation = await this.#stamp(temporary.path, this.#clock.next());
    if (generation.mtimeNs !== version.mtimeNs) return this.#stamped(temporary.path, generation);
    throw new StorageError('The file system keeps no later time than the one of the present version.');
  }

  async #stamp(path: string, stamp: number): Promise<Generation> {
    await this.#disk.utimes(path, stamp);
    return this.#generations.of(await this.#disk.lstat(path));
  }

  async #stamped(path: string, generation: Generation): Promise<TemporaryFile> {
    await this.flush(path);
    return { path, generation };
  }

  /** Makes times and mode of a file durable, where the storage is. */
  async flush(path: string): Promise<void> {
    if (!this.#durable) return;
    const fd = await this.#disk.open(path, 'r');
    try {
      await this.#disk.fsync(fd);
    } finally {
      await this.#disk.close(fd);
    }
  }

  async #writeBytes(bytes: Buffer, marked: boolean, stamped: boolean): Promise<TemporaryFile> {
    const path = this.nextPath();
    const mode = this.#modeBits(marked);
    let fd: number | undefined;
    try {
      fd = await this.#create(path, mode);
      if (bytes.length > 0) await writeAll(this.#disk, fd, [bytes]);
      const finishing = fd;
      fd = undefined;
      return { path, generation: await this.#close(finishing, bytes.length, mode, stamped) };
    } catch (error) {
      await this.#discard(path, fd);
      throw error;
    }
  }

  async #writeStream(source: Readable, marked: boolean, stamped: boolean): Promise<TemporaryFile> {
    const path = this.nextPath();
    const mode = this.#modeBits(marked);
    let fd: number | undefined;
    this.#streams++;
    const writer = new SourceWriter(this.#streams, async (buffers) => {
      fd ??= await this.#create(path, mode);
      await writeAll(this.#disk, fd, buffers);
    });
    try {
      const size = await writer.run(source);
      const finishing = (fd ??= await this.#create(path, mode));
      fd = undefined;
      return { path, generation: await this.#close(finishing, size, mode, stamped) };
    } catch (error) {
      await this.#discard(path, fd);
      throw error;
    } finally {
      this.#streams--;
    }
  }

  async #discard(path: string, fd: number | undefined): Promise<void> {
    try {
      if (fd !== undefined) await this.#disk.close(fd);
    } finally {
      await this.remove(path);
    }
  }

  #modeBits(marked: boolean): number {
    return (this.#mode ?? 0o644) | (marked ? this.#generations.mark : 0);
  }

  async #create(path: string, mode: number): Promise<number> {
    for (;;) {
      try {
        return await this.#disk.open(path, 'wx', mode);
      } catch (error) {
        // The folder went with a neighbour that closed, or a stranger has removed it.
        if (errnoOf(error) !== 'ENOENT' || !(await this.#folders.make(this.#layout.temporary))) throw error;
      }
    }
  }

  /** Stamps, checks and closes what was written. An error of fsync or close is final: nobody knows what the disk has. */
  async #close(fd: number, size: number, mode: number, stamped: boolean): Promise<Generation> {
    let stats: BigIntStats;
    try {
      if (stamped) await this.#disk.futimes(fd, this.#clock.next());
      if (this.#mode !== undefined) await this.#disk.fchmod(fd, mode); // open obeys the umask
      if (this.#durable) await this.#disk.fsync(fd);
      stats = await this.#disk.fstatWritten(fd);
      if (stats.size !== BigInt(size)) throw truncatedWhileWritten(size, stats.size);
    } catch (error) {
      await this.#disk.close(fd);
      throw error;
    }
    await (stats.nlink > 0n ? this.#disk.closeWritten(fd) : this.#disk.close(fd));
    return this.#generations.of(stats);
  }
}
