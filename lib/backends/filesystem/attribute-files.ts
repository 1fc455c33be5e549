import { constants } from 'node:fs';
import { sanitizeKey } from '../../contract/index.js';
import { decodeAttributes, parseText, type StoredAttributes } from './attributes-text.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { DirectorySync } from './directory-sync.js';
import type { Folders } from './folders.js';
import type { Generation } from './generation.js';
import { hashOfKey, parentOf } from './layout.js';

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Of a new file: not through a link that a stranger has put there, and not waiting for a reader at a FIFO's other end. */
const WRITE_FLAGS = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;

/** The hash of a key, a time in nanoseconds, a size. */
const NAME = /^[0-9a-f]{32}\.-?\d+\.\d+$/;

/** A file of attributes, as it is found. */
export interface AttributeFile {
  readonly path: string;
  /** `undefined` where the file does not say so: it is damaged. */
  readonly key: string | undefined;
}

/**
 * Attributes beside the bodies, each in a file that is named by the key and the generation of the body it belongs to. It is written
 * before the body's rename: until then no body of that generation exists, so nobody reads it, and the rename commits both.
 */
export class AttributeFiles {
  readonly #disk: Disk;
  readonly #folders: Folders;
  readonly #sync: DirectorySync;
  readonly #root: string;
  readonly #durable: boolean;

  constructor(disk: Disk, folders: Folders, sync: DirectorySync, root: string, durable: boolean) {
    this.#disk = disk;
    this.#folders = folders;
    this.#sync = sync;
    this.#root = root;
    this.#durable = durable;
  }

  pathOf(key: string, { mtimeNs, size }: Generation): string {
    const hash = hashOfKey(key);
    return `${this.#root}/${hash.slice(0, 2)}/${hash}.${mtimeNs.toString()}.${size.toString()}`;
  }

  /** Safe, when it resolves, where the storage is durable. Only the lock's holder calls this. */
  async write(key: string, generation: Generation, text: string): Promise<void> {
    const path = this.pathOf(key, generation);
    for (;;) {
      try {
        await this.#writeOnce(path, text);
        return;
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || !(await this.#folders.make(parentOf(path)))) throw error;
      }
    }
  }

  async #writeOnce(path: string, text: string): Promise<void> {
    const held = await this.#sync.hold(parentOf(path));
    try {
      const fd = await this.#disk.open(path, WRITE_FLAGS, 0o644);
      try {
        await writeText(this.#disk, fd, text);
        if (this.#durable) await this.#disk.fsync(fd);
      } finally {
        await this.#disk.close(fd);
      }
      await held.flush();
    } catch (error) {
      await this.#remove(path);
      throw error;
    } finally {
      await held.release();
    }
  }

  /**
   * @returns `undefined` when there are none of this generation, or when they are damaged: bytes that can be read are not refused for
   * the sake of what was said about them. `check` tells of both.
   */
  async read(key: string, generation: Generation): Promise<StoredAttributes | undefined> {
    const text = await this.#disk.readFile(this.pathOf(key, generation));
    return text === undefined ? undefined : decodeAttributes(key, text);
  }

  async remove(key: string, generation: Generation): Promise<void> {
    await this.#remove(this.pathOf(key, generation));
  }

  /** A folder that a stranger has put in the place of one stays. */
  async #remove(path: string): Promise<void> {
    try {
      await unless(this.#disk.unlink(path), 'ENOENT', 'ENOTDIR', 'EISDIR');
    } catch (error) {
      // what POSIX, and macOS, have for a folder
      const isFolder = errnoOf(error) === 'EPERM' && (await this.#disk.lstat(path)).isDirectory();
      if (!isFolder) throw error;
    }
  }

  /** Removes what a dead writer left of other generations. Only the lock's holder calls this. */
  async removeAllBut(key: string, current: Generation | undefined): Promise<void> {
    const hash = hashOfKey(key);
    const folder = `${this.#root}/${hash.slice(0, 2)}`;
    const kept = current === undefined ? undefined : this.pathOf(key, current);
    for (const { name } of (await unless(this.#disk.readdir(folder), 'ENOENT', 'ENOTDIR')) ?? []) {
      const path = `${folder}/${name}`;
      if (name.startsWith(hash) && path !== kept) await this.#remove(path);
    }
  }

  /** The keys that have attribute files. A key may come more than once. */
  async *keys(): AsyncGenerator<string> {
    for await (const { key } of this.all()) if (key !== undefined) yield key;
  }

  /** Every file of attributes. */
  async *all(): AsyncGenerator<AttributeFile> {
    for (const group of (await unless(this.#disk.readdir(this.#root), 'ENOENT')) ?? []) {
      if (!group.isDirectory()) continue;
      for (const entry of (await unless(this.#disk.readdir(`${this.#root}/${group.name}`), 'ENOENT')) ?? []) {
        const path = `${this.#root}/${group.name}/${entry.name}`;
        if (!entry.isFile() || !NAME.test(entry.name)) continue;
        const text = await this.#disk.readFile(path);
        if (text !== undefined) yield { path, key: this.#keyOf(entry.name, text) };
      }
    }
  }

  /** The key that a file's text names, if it is the one that its name was made of. */
  #keyOf(name: string, text: string): string | undefined {
    const key: unknown = parseText(text)?.key;
    if (typeof key !== 'string' || !name.startsWith(`${hashOfKey(key)}.`)) return undefined;
    return isCanonical(key) ? key : undefined;
  }
}

/** A stranger's text must not lead a path out of the root. */
function isCanonical(key: string): boolean {
  try {
    return sanitizeKey(key) === key;
  } catch {
    return false; // it cannot even be made a key
  }
}

async function writeText(disk: Disk, fd: number, text: string): Promise<void> {
  for (let left = Buffer.from(text); left.length > 0;) left = left.subarray(await disk.writev(fd, [left]));
}
