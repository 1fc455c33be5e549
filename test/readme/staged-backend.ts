// #region staged
import { Readable } from 'node:stream';
import * as storages from 'nestjs-storages';

/** A shelf in memory whose uploads wait where they will lie. */
export class ShelfStorage extends storages.BaseStorage {
  override readonly capabilities = storages.defineCapabilities({
    stage: 'native',
    createOnly: true,
    conditionalCopy: true, // the default copy hands ifNoneMatch to _put
    maxSize: 16 * 1024 * 1024,
  });
  readonly #shelf = new Map<string, { file: storages.StoredFile; bytes: Buffer }>();
  readonly staged = new Set<Buffer>();
  #version = 0;

  protected override async _stage(key: string, source: Readable, options: storages.ResolvedPutOptions) {
    const bytes = Buffer.from(options.bytes ?? (await this.#drain(source))); // the caller may write into its own
    this.staged.add(bytes);
    return {
      size: bytes.length,
      commit: () => this.#commit(key, bytes, options),
      abort: () => Promise.resolve(void this.staged.delete(bytes)),
    };
  }

  protected async _put(key: string, source: Readable, options: storages.ResolvedPutOptions) {
    const staged = await this._stage(key, source, options);
    try {
      options.signal?.throwIfAborted();
      return await staged.commit();
    } finally {
      await staged.abort();
    }
  }

  async #commit(key: string, bytes: Buffer, options: storages.ResolvedPutOptions) {
    // nothing waits from the question to the change: no other commit comes between
    if (options.ifNoneMatch !== undefined && this.#shelf.has(key)) throw new storages.FileExistsError(key);
    const etag = `v${++this.#version}`;
    const file = storages.freezeStoredFile({ ...options, key, etag, size: bytes.length, lastModified: new Date() });
    this.#shelf.set(key, { file, bytes });
    this.staged.delete(bytes);
    return Promise.resolve(storages.freezeStoredFile(file));
  }

  async #drain(source: Readable): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of source) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
  // #endregion staged

  protected async _get(key: string, options: storages.ResolvedGetOptions): Promise<storages.OpenedFile> {
    const { file, bytes } = this.#find(key);
    const range = storages.resolveRead(file, options);
    const part = range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
    return Promise.resolve({ file, range, body: Readable.from(piecesOf(part), { objectMode: false }) });
  }

  protected async _info(key: string): Promise<storages.StoredFile> {
    return Promise.resolve(storages.freezeStoredFile(this.#find(key).file));
  }

  protected async _delete(key: string, { force }: storages.ResolvedDeleteOptions): Promise<void> {
    if (!this.#shelf.delete(key) && !force) throw new storages.FileNotFoundError(key);
    return Promise.resolve();
  }

  protected async *_list(prefix: string, { startAfter = '' }: storages.ResolvedListOptions) {
    for (const key of [...this.#shelf.keys()].sort(storages.compareKeys)) {
      if (!key.startsWith(prefix) || storages.compareKeys(key, startAfter) <= 0) continue;
      const found = this.#shelf.get(key);
      if (found !== undefined) yield await Promise.resolve(storages.freezeStoredFile(found.file));
    }
  }

  protected _url(key: string): Promise<string> {
    return Promise.resolve(`shelf:///${storages.encodeKey(key)}`);
  }

  #find(key: string): { file: storages.StoredFile; bytes: Buffer } {
    const found = this.#shelf.get(key);
    if (found === undefined) throw new storages.FileNotFoundError(key);
    return found;
  }
}

/** Copies, so that a reader may write into them, and small, so that one who waits holds little. */
function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield Buffer.from(bytes.subarray(at, at + 65_536));
}
