import { Readable } from 'node:stream';
import {
  MemoryStorage,
  FileNotFoundError,
  RangeNotSatisfiableError,
  type GetOptions,
  type OpenedFile,
  type ResolvedGetOptions,
  type SignalOptions,
  type StoredFile,
  type StoredFileStream,
} from 'nestjs-storages';

/** The end of a range is taken for the last byte that is in it, which is one too many. */
export class RangeOneTooLong extends MemoryStorage {
  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { range } = options;
    if (range?.length === undefined) return super._get(key, options);
    return super._get(key, { ...options, range: { offset: range.offset, length: range.length + 1 } });
  }
}

/** The last n bytes are taken for those from n on. */
export class SuffixAsOffset extends MemoryStorage {
  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { range } = options;
    return super._get(key, range?.suffix === undefined ? options : { ...options, range: { offset: range.suffix } });
  }
}

/** A range that ends past the end is refused. */
export class RangeNotClamped extends MemoryStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const { range } = options;
    const size = this.objects.get(key)?.file.size ?? 0;
    if (range?.length !== undefined && range.offset + range.length > size) throw new RangeNotSatisfiableError(size);
    return super._get(key, options);
  }
}

/** A range that starts past the end is an empty one. */
export class RangePastTheEndIsEmpty extends MemoryStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const found = this.objects.get(key);
    if (found === undefined || options.range?.offset === undefined || options.range.offset < found.file.size) {
      return super._get(key, options);
    }
    return { file: found.file, range: { offset: found.file.size, length: 0 }, body: Readable.from([]) };
  }
}

/** The size of a file is that of the part that is read. */
export class SizeOfTheRange extends MemoryStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, options);
    return { ...opened, file: { ...opened.file, size: opened.range?.length ?? opened.file.size } };
  }
}

/** Each chunk is read from what lies under the key by then. */
export class NoSnapshot extends MemoryStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, options);
    opened.body.destroy();
    const { offset, length } = opened.range ?? { offset: 0, length: opened.file.size };
    const current = (): Buffer => this.objects.get(key)?.bytes ?? Buffer.alloc(0);
    function* chunks(): Generator<Buffer> {
      for (let at = offset; at < offset + length; at += 65_536) {
        const chunk = Buffer.from(current().subarray(at, Math.min(at + 65_536, offset + length)));
        if (chunk.length > 0) yield chunk;
      }
    }
    return { ...opened, body: Readable.from(chunks(), { objectMode: false }) };
  }
}

/** The whole object is in the stream before its reader has asked for anything. */
export class ReadsAheadWithoutBound extends MemoryStorage {
  protected override async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const opened = await super._get(key, options);
    const body = new Readable({ read: () => undefined });
    for await (const chunk of opened.body as AsyncIterable<Buffer>) body.push(chunk);
    body.push(null);
    return { ...opened, body };
  }
}

/** getBytes gives the memory of the storage itself. */
export class BytesOfItsOwn extends MemoryStorage {
  protected override async _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    const bytes = await super._getBytes(key, options);
    return options.range === undefined ? (this.objects.get(key)?.bytes ?? bytes) : bytes;
  }
}

/** That there is no object is said by the stream, when its reader has begun to answer. */
export class MissingSaidLate extends MemoryStorage {
  override async get(key: string, options?: GetOptions): Promise<StoredFileStream> {
    try {
      return await super.get(key, options);
    } catch (error) {
      const stream = new Readable({
        read() {
          this.destroy(error as Error);
        },
      });
      const file = { key, size: 0, contentType: '', etag: 'none', lastModified: new Date(), metadata: {} };
      return Object.assign(
        stream.on('error', () => undefined),
        { file },
      );
    }
  }
}

/** An error of the system, as it came. */
export class ErrorWithoutCode extends MemoryStorage {
  override async info(key: string, options?: SignalOptions): Promise<StoredFile> {
    if (!(await this.exists(key, options))) throw new Error('no such file');
    return super.info(key, options);
  }
}

/** The error of a missing key names another one. */
export class ErrorWithoutItsKey extends MemoryStorage {
  protected override _info(key: string): Promise<StoredFile> {
    return super._info(key).catch(() => {
      throw new FileNotFoundError('?');
    });
  }
}

/** exists takes every failure for a no. */
export class ExistsThatSwallowsErrors extends MemoryStorage {
  override async exists(key: string, options?: SignalOptions): Promise<boolean> {
    try {
      await this.info(key, options);
      return true;
    } catch {
      return false;
    }
  }
}

/** A folder is there, too. */
export class ExistsForFolders extends MemoryStorage {
  protected override _exists(key: string): Promise<boolean> {
    return Promise.resolve([...this.objects.keys()].some((stored) => stored === key || stored.startsWith(`${key}/`)));
  }
}

/** Each call leaves a listener on its signal. */
export class ListenersPileUp extends MemoryStorage {
  override info(key: string, options: SignalOptions = {}): Promise<StoredFile> {
    options.signal?.addEventListener('abort', () => undefined);
    return super.info(key, options);
  }
}
