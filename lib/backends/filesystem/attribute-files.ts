import { attributesOf, contentTypeOfKey, StorageError, type FileAttributes } from '../../contract/index.js';
import { errnoOf, unless, type Disk } from './disk.js';
import type { DirectorySync } from './directory-sync.js';
import type { Folders } from './folders.js';
import type { Generation } from './generation.js';
import { hashOfKey, parentOf } from './layout.js';

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

  #path(key: string, { mtimeNs, size }: Generation): string {
    const hash = hashOfKey(key);
    return `${this.#root}/${hash.slice(0, 2)}/${hash}.${mtimeNs.toString()}.${size.toString()}`;
  }

  /** Safe, when it resolves, where the storage is durable. Only the lock's holder calls this. */
  async write(key: string, generation: Generation, text: string): Promise<void> {
    const path = this.#path(key, generation);
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
      const fd = await this.#disk.open(path, 'w', 0o644);
      try {
        await writeText(this.#disk, fd, text);
        if (this.#durable) await this.#disk.fsync(fd);
      } finally {
        await this.#disk.close(fd);
      }
      await held.flush();
    } catch (error) {
      await unless(this.#disk.unlink(path), 'ENOENT');
      throw error;
    } finally {
      await held.release();
    }
  }

  /** @returns the text of the attributes; `undefined` when there are none of this generation */
  read(key: string, generation: Generation): Promise<string | undefined> {
    return unless(this.#disk.readFile(this.#path(key, generation)), 'ENOENT');
  }

  async remove(key: string, generation: Generation): Promise<void> {
    await unless(this.#disk.unlink(this.#path(key, generation)), 'ENOENT');
  }

  /** Removes what a dead writer left of other generations. Only the lock's holder calls this. */
  async removeAllBut(key: string, current: Generation | undefined): Promise<void> {
    const hash = hashOfKey(key);
    const folder = `${this.#root}/${hash.slice(0, 2)}`;
    const kept = current === undefined ? undefined : this.#path(key, current);
    for (const { name } of (await unless(this.#disk.readdir(folder), 'ENOENT')) ?? []) {
      const path = `${folder}/${name}`;
      if (name.startsWith(hash) && path !== kept) await unless(this.#disk.unlink(path), 'ENOENT');
    }
  }

  /** The keys that have attribute files. A key may come more than once. */
  async *keys(): AsyncGenerator<string> {
    for (const group of (await unless(this.#disk.readdir(this.#root), 'ENOENT')) ?? []) {
      for (const { name } of (await unless(this.#disk.readdir(`${this.#root}/${group.name}`), 'ENOENT')) ?? []) {
        const text = await unless(this.#disk.readFile(`${this.#root}/${group.name}/${name}`), 'ENOENT');
        const key: unknown = text === undefined ? undefined : parse(text)?.key;
        if (typeof key === 'string') yield key;
      }
    }
  }
}

async function writeText(disk: Disk, fd: number, text: string): Promise<void> {
  for (let left = Buffer.from(text); left.length > 0;) left = left.subarray(await disk.writev(fd, [left]));
}

/** The attributes of an object that has none stored: what a file that was dropped in by hand has. */
export function defaultAttributes(key: string): FileAttributes {
  return { contentType: contentTypeOfKey(key), metadata: {} };
}

/** The text to store; `undefined` for attributes that the key alone tells. */
export function encodeAttributes(key: string, attributes: FileAttributes): string | undefined {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = attributes;
  const bare = cacheControl === undefined && contentDisposition === undefined && contentEncoding === undefined;
  if (bare && contentType === contentTypeOfKey(key) && Object.keys(metadata).length === 0) return undefined;
  return JSON.stringify({ key, contentType, metadata, cacheControl, contentDisposition, contentEncoding });
}

/** @throws StorageError when the text is not what this storage writes: the disk or a stranger has changed it */
export function decodeAttributes(key: string, text: string): FileAttributes {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = parse(text) ?? {};
  if (
    typeof contentType !== 'string' ||
    !isRecordOfStrings(metadata) ||
    !isOptionalString(cacheControl) ||
    !isOptionalString(contentDisposition) ||
    !isOptionalString(contentEncoding)
  ) {
    throw new StorageError('The stored attributes of the file are damaged.', { key });
  }
  return attributesOf({ contentType, metadata, cacheControl, contentDisposition, contentEncoding });
}

function parse(text: string): Partial<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // the caller says what that means
  }
}

function isRecordOfStrings(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
