// #region custom-backend
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, openSync, promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as storages from 'nestjs-storages';

/** Bodies in files named by their etags, and a journal whose last record of a key says which is its: for one process. */
export class JournalStorage extends storages.BaseStorage {
  override readonly capabilities = storages.defineCapabilities({
    persistent: true,
    createOnly: true,
    compareAndSwap: true,
    etagCoversAttributes: true,
  });
  readonly #files = new Map<string, storages.StoredFile>();
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(readonly config: { readonly folder: string } & storages.BaseStorageOptions) {
    super(config);
  }

  protected override async _open(): Promise<void> {
    await fs.mkdir(this.config.folder, { recursive: true });
    const bodies = new Set(await fs.readdir(this.config.folder));
    const journal = await fs.readFile(join(this.config.folder, 'journal'), { encoding: 'utf8', flag: 'a+' });
    for (const record of journal.split('\x1e')) {
      if (!record.endsWith('\n')) continue; // cut short by a crash (RFC 7464)
      const { key, file } = JSON.parse(record) as { key: string; file?: storages.StoredFile };
      if (file === undefined) this.#files.delete(key);
      else if (bodies.has(file.etag)) this.#files.set(key, file);
    }
    for (const { etag } of this.#files.values()) bodies.delete(etag);
    for (const name of bodies) if (name.endsWith('.body')) await fs.rm(join(this.config.folder, name)); // cut short
  }

  protected async _put(key: string, source: Readable, options: storages.ResolvedPutOptions) {
    const etag = `${randomUUID()}.body`;
    const body = createWriteStream(join(this.config.folder, etag), { flush: true });
    try {
      await pipeline(source, body);
      options.signal?.throwIfAborted();
      const file = { ...options, key, etag, size: body.bytesWritten, lastModified: new Date() };
      await this.#change(key, options, storages.freezeStoredFile(file));
      return storages.freezeStoredFile(file);
    } catch (error) {
      await fs.rm(body.path, { force: true });
      throw error;
    }
  }

  protected async _delete(key: string, options: storages.ResolvedDeleteOptions): Promise<void> {
    await this.#change(key, options);
  }

  protected async _get(key: string, options: storages.ResolvedGetOptions): Promise<storages.OpenedFile> {
    const file = await this._info(key);
    const range = storages.resolveRead(file, options);
    const part = range && { start: range.offset, end: range.offset + range.length - 1 };
    const fd = openSync(join(this.config.folder, file.etag), 'r'); // in this very turn: in the next one it may be gone
    return { file, range, body: createReadStream('', { fd, ...part }) };
  }

  protected _info(key: string): Promise<storages.StoredFile> {
    const file = this.#files.get(key);
    return file
      ? Promise.resolve(storages.freezeStoredFile(file))
      : Promise.reject(new storages.FileNotFoundError(key));
  }

  protected async *_list(prefix: string, { startAfter = '' }: storages.ResolvedListOptions) {
    for (const key of [...this.#files.keys()].sort(storages.compareKeys)) {
      const wanted = key.startsWith(prefix) && storages.compareKeys(key, startAfter) > 0;
      if (wanted && this.#files.has(key)) yield await this._info(key);
    }
  }

  protected _url(key: string): Promise<string> {
    return Promise.resolve(`journal:///${storages.encodeKey(key)}`);
  }

  /** One change at a time: decided by what is there, then written down, and only then seen. */
  #change(key: string, on: { ifNoneMatch?: '*'; ifMatch?: string; force?: boolean }, file?: storages.StoredFile) {
    const change = this.#lastChange.then(async () => {
      const found = this.#files.get(key);
      if (!file && !found && on.force) return;
      if (!file && !found) throw new storages.FileNotFoundError(key);
      if (found && on.ifNoneMatch) throw new storages.FileExistsError(key);
      if (on.ifMatch && found?.etag !== on.ifMatch) throw new storages.PreconditionFailedError('Changed.', { key });
      const record = `\x1e${JSON.stringify({ key, file })}\n`;
      await fs.appendFile(join(this.config.folder, 'journal'), record, { flush: true });
      if (file) this.#files.set(key, file);
      else this.#files.delete(key);
      if (found) await fs.rm(join(this.config.folder, found.etag)); // who reads it has it open
    });
    this.#lastChange = change.catch(() => undefined);
    return change;
  }
}
// #endregion
