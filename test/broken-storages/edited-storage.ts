import type { Readable } from 'node:stream';
import {
  freezeStoredFile,
  MemoryStorage,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from 'nestjs-storages';

/** A storage that is right but for what it says of its files. */
export abstract class EditedStorage extends MemoryStorage {
  protected abstract edit(file: StoredFile): StoredFile;

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const staged = await super._stage(key, source, this.#inner(key, options));
    return { ...staged, commit: async () => this.#shown(await staged.commit()) };
  }

  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, this.#inner(key, options));
    return { ...opened, file: this.#shown(opened.file) };
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return super._getBytes(key, this.#inner(key, options));
  }

  protected override async _info(key: string): Promise<StoredFile> {
    return this.#shown(await super._info(key));
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return super._delete(key, this.#inner(key, options));
  }

  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    for await (const file of super._list(prefix, options)) yield this.#shown(file);
  }

  protected override async _copy(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return this.#shown(await super._copy(from, to, options));
  }

  protected override async _move(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return this.#shown(await super._move(from, to, options));
  }

  #shown(file: StoredFile): StoredFile {
    return freezeStoredFile(this.edit(file));
  }

  /** Conditions with the etag that the storage itself knows, in place of the one that is shown. */
  #inner<O extends { readonly ifMatch?: string; readonly ifNoneMatch?: string }>(key: string, options: O): O {
    const file = this.objects.get(key)?.file;
    if (file === undefined) return options;
    const shown = this.edit(file).etag;
    const translated = { ...options };
    if (options.ifMatch === shown) Object.assign(translated, { ifMatch: file.etag });
    if (options.ifNoneMatch === shown) Object.assign(translated, { ifNoneMatch: file.etag });
    return translated;
  }
}
