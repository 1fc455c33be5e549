import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  BaseStorage,
  compareKeys,
  defineCapabilities,
  encodeKey,
  FileNotFoundError,
  freezeStoredFile,
  resolveRead,
  type KeyMode,
  type OpenedFile,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StoredFile,
} from 'nestjs-storages';

interface Entry {
  readonly file: StoredFile;
  readonly path: string;
}

/**
 * A small storage with temporaries and descriptors, for those that go wrong with them: every version is a file of its own, bytes first,
 * then what is known of it, then the length of that. Which keys there are is read once and kept in memory.
 */
export class FolderStorage extends BaseStorage {
  override readonly capabilities = defineCapabilities({ persistent: true, etagCoversAttributes: true });
  protected readonly index = new Map<string, Entry>();
  protected readonly root: string;

  constructor(root: string, keys?: KeyMode) {
    super({ name: 'folder', keys });
    this.root = root;
  }

  protected override async _open(): Promise<void> {
    await mkdir(join(this.root, 'objects'), { recursive: true });
    // what a dead process has left
    await rm(join(this.root, 'tmp'), { recursive: true, force: true });
    await mkdir(join(this.root, 'tmp'));
    for (const name of await readdir(join(this.root, 'objects'))) {
      const path = join(this.root, 'objects', name);
      const content = await readFile(path);
      const end = content.length - 4 - content.readUInt32BE(content.length - 4);
      const known = JSON.parse(content.toString('utf8', end, content.length - 4)) as StoredFile;
      this.index.set(known.key, {
        path,
        file: freezeStoredFile({ ...known, lastModified: new Date(known.lastModified) }),
      });
    }
  }

  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const temporary = join(this.root, 'tmp', randomUUID());
    try {
      const file = await this.write(temporary, key, source, options);
      const path = join(this.root, 'objects', file.etag);
      await rename(temporary, path);
      const old = this.index.get(key);
      this.index.set(key, { file, path });
      if (old !== undefined) await unlink(old.path);
      return freezeStoredFile(file);
    } catch (error) {
      await this.discard(temporary);
      throw error;
    }
  }

  protected async discard(temporary: string): Promise<void> {
    await rm(temporary, { force: true });
  }

  protected async write(path: string, key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const handle = await open(path, 'wx');
    try {
      let size = 0;
      for await (const chunk of source as AsyncIterable<Buffer>) {
        await handle.appendFile(chunk);
        size += chunk.length;
      }
      const before = this.index.get(key)?.file.lastModified.getTime() ?? 0;
      const lastModified = new Date(Math.max(Date.now(), before));
      const file = freezeStoredFile({ ...options, key, size, etag: randomUUID(), lastModified });
      const known = Buffer.from(JSON.stringify(file));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(known.length);
      await handle.appendFile(Buffer.concat([known, length]));
      return file;
    } finally {
      await this.closeWritten(handle);
    }
  }

  protected closeWritten(handle: FileHandle): Promise<void> {
    return handle.close();
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { file, path } = this.find(key);
    const range = resolveRead(file, options);
    const [offset, length] = [range?.offset ?? 0, range?.length ?? file.size];
    if (length === 0) return { file, range, body: Readable.from([], { objectMode: false }) };
    try {
      return { file, range, body: this.read(await open(path), offset, length) };
    } catch (error) {
      // overwritten or deleted between the look and the open
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this._get(key, options);
      throw error;
    }
  }

  protected read(handle: FileHandle, offset: number, length: number): Readable {
    return handle.createReadStream({ start: offset, end: offset + length - 1 });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a failure is to be a rejection
  protected override async _info(key: string): Promise<StoredFile> {
    return freezeStoredFile(this.find(key).file);
  }

  protected override async _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    const entry = this.index.get(key);
    if (entry === undefined) {
      if (!options.force) throw new FileNotFoundError(key);
      return;
    }
    this.index.delete(key);
    await unlink(entry.path);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the hook's form is a generator's
  protected override async *_list(
    prefix: string,
    { startAfter = '' }: ResolvedListOptions,
  ): AsyncGenerator<StoredFile> {
    for (const key of [...this.index.keys()].sort(compareKeys)) {
      const entry = this.index.get(key);
      if (entry !== undefined && key.startsWith(prefix) && compareKeys(key, startAfter) > 0)
        yield freezeStoredFile(entry.file);
    }
  }

  protected override _url(key: string): Promise<string> {
    return Promise.resolve(`folder:///${encodeKey(key)}`);
  }

  protected find(key: string): Entry {
    const entry = this.index.get(key);
    if (entry === undefined) throw new FileNotFoundError(key);
    return entry;
  }
}
