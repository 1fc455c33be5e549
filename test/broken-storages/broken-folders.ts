import { rm, unlink, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  FileNotFoundError,
  type ResolvedGetOptions,
  type OpenedFile,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from 'nestjs-storages';
import { FolderStorage } from './folder-storage.js';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** A put that fails leaves its temporary. */
export class TemporaryLeftBehind extends FolderStorage {
  protected override discard(): Promise<void> {
    return Promise.resolve();
  }
}

/** A put that fails leaves its temporary open. */
export class WriterLeftOpen extends FolderStorage {
  readonly #open: FileHandle[] = [];

  protected override async discard(temporary: string): Promise<void> {
    await rm(temporary);
  }

  // a handle that nobody holds would be closed by the collector, with a warning
  protected override closeWritten(handle: FileHandle): Promise<void> {
    this.#open.push(handle);
    return Promise.resolve();
  }

  protected override async _close(): Promise<void> {
    for (const handle of this.#open) await handle.close();
  }
}

/** A stream that is left before its end keeps its file open. */
export class ReaderLeftOpen extends FolderStorage {
  readonly #open = new Set<FileHandle>();

  protected override read(handle: FileHandle, offset: number, length: number): Readable {
    this.#open.add(handle);
    const inner = handle.createReadStream({ start: offset, end: offset + length - 1, autoClose: false });
    inner.on('end', () => {
      this.#open.delete(handle);
      void handle.close();
    });
    const chunks = inner[Symbol.asyncIterator]();
    return new Readable({
      read() {
        chunks.next().then(
          ({ done, value }) => this.push(done === true ? null : (value as Buffer)),
          (error: unknown) => this.destroy(error as Error),
        );
      },
    });
  }

  protected override async _close(): Promise<void> {
    for (const handle of this.#open) await handle.close();
  }
}

/** The message is that of the system, with the path. */
export class PathInTheMessage extends FolderStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    try {
      return await super._get(key, options);
    } catch (error) {
      if (!(error instanceof FileNotFoundError)) throw error;
      error.message = `ENOENT: no such file or directory, open '${join(this.root, 'objects', key)}'`;
      throw error;
    }
  }
}

/** What is staged and aborted stays where it lies. */
export class StagedFileNotRemoved extends FolderStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const path = join(this.root, 'tmp', randomUUID());
    const { size } = await this.write(path, key, source, options);
    const { createReadStream } = await import('node:fs');
    const commit = async (): Promise<StoredFile> => {
      const file = await this._put(key, createReadStream(path, { start: 0, end: Math.max(0, size - 1) }), options);
      await unlink(path);
      return file;
    };
    return { size, commit, abort: () => Promise.resolve() };
  }
}

/** The whole source is in memory before the first byte is written. */
export class SourceBufferedWhole extends FolderStorage {
  protected override async write(
    path: string,
    key: string,
    source: Readable,
    options: ResolvedPutOptions,
  ): Promise<StoredFile> {
    const chunks: Buffer[] = [];
    for await (const chunk of source as AsyncIterable<Buffer>) chunks.push(chunk);
    return super.write(path, key, Readable.from(chunks, { objectMode: false }), options);
  }
}

/** The whole object is in memory before the first byte is read. */
export class ObjectReadWhole extends FolderStorage {
  protected override read(handle: FileHandle, offset: number, length: number): Readable {
    const inner = super.read(handle, offset, length);
    async function* whole(): AsyncGenerator<Buffer> {
      const chunks: Buffer[] = [];
      for await (const chunk of inner as AsyncIterable<Buffer>) chunks.push(chunk);
      yield* chunks;
    }
    return Readable.from(whole(), { objectMode: false });
  }
}

/** What was put is not there any more once it is opened again: attributes were kept in memory only. */
export class AttributesNotWritten extends FolderStorage {
  protected override write(
    path: string,
    key: string,
    source: Readable,
    options: ResolvedPutOptions,
  ): Promise<StoredFile> {
    return super.write(path, key, source, options).then((file) => ({ ...file, metadata: options.metadata }));
  }

  protected override async _open(): Promise<void> {
    await super._open();
    for (const [key, entry] of this.index) this.index.set(key, { ...entry, file: { ...entry.file, metadata: {} } });
  }
}
