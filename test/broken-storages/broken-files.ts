import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  defineCapabilities,
  MemoryStorage,
  type PutOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StorageData,
  type StoredFile,
} from 'nestjs-storages';
import { EditedStorage } from './edited-storage.js';

/** The etag is made of the key, and stays when the object changes. */
export class EtagThatStays extends EditedStorage {
  protected override edit(file: StoredFile): StoredFile {
    return { ...file, etag: createHash('md5').update(file.key).digest('hex') };
  }
}

/** The etag is made of the bytes alone, and is declared to cover the attributes. */
export class EtagOfBytesOnly extends EditedStorage {
  readonly #etags = new Map<string, string>();

  protected override edit(file: StoredFile): StoredFile {
    const bytes = this.objects.get(file.key)?.bytes;
    if (bytes !== undefined) this.#etags.set(file.etag, createHash('md5').update(bytes).digest('hex'));
    return { ...file, etag: this.#etags.get(file.etag) ?? file.etag };
  }
}

/** Etags stand in the quotes of their header. */
export class QuotedEtag extends EditedStorage {
  protected override edit(file: StoredFile): StoredFile {
    return { ...file, etag: `"${file.etag}"` };
  }
}

/** put makes up a date of its own. */
export class OtherDateFromPut extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    const file = await super.put(key, data, options);
    return Object.freeze({ ...file, lastModified: new Date(file.lastModified.getTime() + 1) });
  }
}

/** put returns an etag that info does not know. */
export class OtherEtagFromPut extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    const file = await super.put(key, data, options);
    return Object.freeze({ ...file, etag: `new-${file.etag}` });
  }
}

/** put returns the key as it was given. */
export class KeyAsGiven extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    return Object.freeze({ ...(await super.put(key, data, options)), key });
  }
}

/** The content type is not kept. */
export class ContentTypeLost extends EditedStorage {
  protected override edit(file: StoredFile): StoredFile {
    return { ...file, contentType: 'application/octet-stream' };
  }
}

/** Cache-Control is not kept. */
export class CacheControlLost extends EditedStorage {
  protected override edit({ cacheControl: _lost, ...file }: StoredFile): StoredFile {
    return file;
  }
}

/** Names of metadata come back as they were given. */
export class MetadataNamesAsGiven extends EditedStorage {
  readonly #given = new Map<string, Readonly<Record<string, string>>>();

  protected override edit(file: StoredFile): StoredFile {
    return { ...file, metadata: this.#given.get(file.key) ?? file.metadata };
  }

  override async put(key: string, data: StorageData, options: PutOptions = {}): Promise<StoredFile> {
    const file = await super.put(key, data, options);
    if (options.metadata !== undefined) this.#given.set(file.key, options.metadata);
    return this.edit(file);
  }
}

/** Metadata is copied by assignment, which `__proto__` does not survive. */
export class ProtoLost extends EditedStorage {
  protected override edit(file: StoredFile): StoredFile {
    const metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(file.metadata)) metadata[name] = value;
    return { ...file, metadata };
  }
}

/** Values of metadata go over a wire that is Latin-1. */
export class MetadataInLatin1 extends EditedStorage {
  protected override edit(file: StoredFile): StoredFile {
    const entries = Object.entries(file.metadata);
    return {
      ...file,
      metadata: Object.fromEntries(
        entries.map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('latin1')]),
      ),
    };
  }
}

/** An overwrite adds to the metadata of the old object. */
export class MetadataOfOldVersionKept extends MemoryStorage {
  protected override _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const metadata = { ...this.objects.get(key)?.file.metadata, ...options.metadata };
    return super._stage(key, source, { ...options, metadata });
  }
}

/** What info returns is not frozen: whoever changes it changes nothing, and does not know it. */
export class RecordsThatCanBeChanged extends MemoryStorage {
  protected override async _info(key: string): Promise<StoredFile> {
    const file = await super._info(key);
    return { ...file, metadata: { ...file.metadata } };
  }
}

/** The date that it returns is the one that it keeps. */
export class DateOfItsOwn extends MemoryStorage {
  readonly #dates = new Map<string, Date>();

  protected override async _info(key: string): Promise<StoredFile> {
    const file = await super._info(key);
    const lastModified = this.#dates.get(file.etag) ?? file.lastModified;
    this.#dates.set(file.etag, lastModified);
    return Object.freeze({ ...file, lastModified });
  }
}

/** Says that it makes URLs that work, and gives a pseudo-URL. */
export class UrlThatDoesNotWork extends MemoryStorage {
  override readonly capabilities = {
    ...defineCapabilities({ ...new MemoryStorage().capabilities }),
    urls: 'public' as const,
  };
}

/** The URL is a path of the machine. */
export class UrlOfThePath extends MemoryStorage {
  protected override _url(key: string): Promise<string> {
    return Promise.resolve(pathToFileURL(join(process.cwd(), key)).href);
  }
}

/** The URL holds the key as it is, whatever `?` and `#` mean there. */
export class UrlNotEncoded extends MemoryStorage {
  protected override _url(key: string): Promise<string> {
    return Promise.resolve(`memory:///${key}`);
  }
}
