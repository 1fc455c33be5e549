import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  BaseStorage,
  compareKeys,
  FileNotFoundError,
  freezeStoredFile,
  resolveRead,
  type DeleteOutcome,
  type OpenedFile,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type SignalOptions,
  type StoredFile,
} from 'nestjs-storages';

/**
 * The six hooks and nothing else: what it does beyond them are the defaults of the base class. The hooks are public, so that a test
 * can put another one in their place.
 */
export class MapStorage extends BaseStorage {
  readonly objects = new Map<string, { file: StoredFile; bytes: Buffer }>();
  #version = 0;

  override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const bytes = await buffer(source);
    const file = freezeStoredFile({
      ...options,
      key,
      size: bytes.length,
      etag: `v${++this.#version}`,
      lastModified: new Date(),
    });
    this.objects.set(key, { file, bytes });
    return file;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a failure is to be a rejection
  override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { file, bytes } = this.find(key);
    const range = resolveRead(file, options);
    const part = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
    return { file, range, body: Readable.from(part.length === 0 ? [] : [part], { objectMode: false }) };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a failure is to be a rejection
  override async _info(key: string): Promise<StoredFile> {
    return this.find(key).file;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a failure is to be a rejection
  override async _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    if (!this.objects.delete(key) && !options.force) throw new FileNotFoundError(key);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the hook's form is a generator's
  override async *_list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile> {
    for (const key of [...this.objects.keys()].sort(compareKeys)) {
      const after = options.startAfter === undefined || compareKeys(key, options.startAfter) > 0;
      const found = this.objects.get(key);
      if (found !== undefined && after && key.startsWith(prefix)) yield found.file;
    }
  }

  override _deleteMany(keys: readonly string[], options: SignalOptions): Promise<DeleteOutcome> {
    return super._deleteMany(keys, options);
  }

  override _url(key: string): Promise<string> {
    return Promise.resolve(`map:///${key}`);
  }

  find(key: string): { file: StoredFile; bytes: Buffer } {
    const found = this.objects.get(key);
    if (found === undefined) throw new FileNotFoundError(key);
    return found;
  }
}
