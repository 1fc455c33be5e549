import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  defineCapabilities,
  MemoryStorage,
  StorageError,
  type PutOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StorageData,
  type StoredFile,
} from 'nestjs-storages';

/** What is known of a body before it is read. */
const unread = ({ bytes: _bytes, size: _size, ...options }: ResolvedPutOptions): ResolvedPutOptions => options;

/** A write that takes less than it is given, and whose answer nobody reads: of each chunk 64 KiB. */
export class ShortWrites extends MemoryStorage {
  protected override _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    async function* short(): AsyncGenerator<Buffer> {
      for await (const chunk of source as AsyncIterable<Buffer>) yield chunk.subarray(0, 65_536);
    }
    return super._stage(key, Readable.from(short(), { objectMode: false }), unread(options));
  }
}

/** Bytes pass through a string. */
export class BytesThroughText extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    let text = '';
    for await (const chunk of source as AsyncIterable<Buffer>) text += chunk.toString('utf8');
    return super._stage(key, Readable.from([Buffer.from(text)], { objectMode: false }), unread(options));
  }
}

/** Keeps the caller's own memory. */
export class CallersBufferKept extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const staged = await super._stage(key, source, options);
    const { bytes } = options;
    if (bytes === undefined) return staged;
    const commit = async (): Promise<StoredFile> => {
      const file = await staged.commit();
      // instead of the copy that was made
      (this.objects as Map<string, { file: StoredFile; bytes: Buffer }>).set(key, { file, bytes });
      return file;
    };
    return { ...staged, commit };
  }
}

/** The new object can be seen while it is written. */
export class VisibleWhileWritten extends MemoryStorage {
  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    const chunks: Buffer[] = [];
    for await (const chunk of source as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      await super._put(key, Readable.from([]), { ...options, bytes });
    }
    return super._put(key, Readable.from([]), { ...options, bytes: Buffer.concat(chunks) });
  }
}

/** The old object goes before the new one has come. */
export class OldObjectGoesFirst extends MemoryStorage {
  protected override async _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    if (options.ifMatch === undefined && options.ifNoneMatch === undefined) await this._delete(key, { force: true });
    return super._put(key, source, options);
  }
}

/** A source that breaks off is one that has ended. */
export class BrokenSourceIsTheEnd extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // what has come is what there is
    }
    return super._stage(key, Readable.from([]), { ...options, bytes: Buffer.concat(chunks) });
  }
}

/** What is staged is stored at once. */
export class VisibleBeforeCommit extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const file = await (await super._stage(key, source, options)).commit();
    return { size: file.size, commit: () => Promise.resolve(file), abort: () => this._delete(key, { force: true }) };
  }
}

/** Conditions of a staged file are decided when it is staged. */
export class StageDecidesEarly extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const { ifNoneMatch, ifMatch, ...unconditional } = options;
    const probe = await super._stage(key, Readable.from([]), {
      ...unread(unconditional),
      bytes: Buffer.alloc(0),
      ...(ifNoneMatch === undefined ? undefined : { ifNoneMatch }),
      ...(ifMatch === undefined ? undefined : { ifMatch }),
    });
    const before = this.objects.get(key);
    try {
      await probe.commit();
    } finally {
      this.restore(key, before);
    }
    return super._stage(key, source, unconditional);
  }

  private restore(key: string, before: { file: StoredFile; bytes: Buffer } | undefined): void {
    const objects = this.objects as Map<string, { file: StoredFile; bytes: Buffer }>;
    if (before === undefined) objects.delete(key);
    else objects.set(key, before);
  }
}

/** Create-only asks whether there is an object, and then writes. */
export class CreateAsksFirst extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const { ifNoneMatch, ...unconditional } = options;
    const staged = await super._stage(key, source, unconditional);
    const conditional = await super._stage(key, Readable.from([]), { ...options, bytes: Buffer.alloc(0) });
    const commit = async (): Promise<StoredFile> => {
      if (ifNoneMatch === '*' && this.objects.has(key)) return conditional.commit();
      await new Promise((resolve) => setImmediate(resolve));
      return staged.commit();
    };
    return { ...staged, commit };
  }
}

/** Compare-and-swap compares, and then swaps. */
export class CompareThenSwap extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const { ifMatch, ...unconditional } = options;
    const staged = await super._stage(key, source, unconditional);
    const conditional = await super._stage(key, Readable.from([]), { ...options, bytes: Buffer.alloc(0) });
    const commit = async (): Promise<StoredFile> => {
      if (ifMatch !== undefined && this.objects.get(key)?.file.etag !== ifMatch) return conditional.commit();
      await new Promise((resolve) => setImmediate(resolve));
      return staged.commit();
    };
    return { ...staged, commit };
  }
}

/** Declares no create-only, and takes the option without a word. */
export class UndeclaredConditionIgnored extends MemoryStorage {
  override readonly capabilities = defineCapabilities({
    ...new MemoryStorage().capabilities,
    createOnly: false as true,
  });

  override put(
    key: string,
    data: StorageData,
    { ifNoneMatch: _ignored, ...options }: PutOptions = {},
  ): Promise<StoredFile> {
    return super.put(key, data, options);
  }
}

/** The length that was declared is not looked at. */
export class SizeNotChecked extends MemoryStorage {
  override put(key: string, data: StorageData, { size: _ignored, ...options }: PutOptions = {}): Promise<StoredFile> {
    return super.put(key, data, options);
  }
}

/** Checksums are not looked at. */
export class ChecksumNotChecked extends MemoryStorage {
  override put(
    key: string,
    data: StorageData,
    { checksum: _ignored, ...options }: PutOptions = {},
  ): Promise<StoredFile> {
    return super.put(key, data, options);
  }
}

/** A put that fails is tried again, with a source that has been read already. */
export class OneShotSourceTwice extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    try {
      return await super.put(key, data, options);
    } catch (error) {
      if (error instanceof StorageError && error.code === 'SOURCE_FAILED') return super.put(key, data, options);
      throw error;
    }
  }
}

/** The source of a refused put is left as it is: a request whose body nobody reads. */
export class SourceLeftOpen extends MemoryStorage {
  override async put(key: string, data: StorageData, options?: PutOptions): Promise<StoredFile> {
    if (!(data instanceof Readable)) return super.put(key, data, options);
    const source = data;
    async function* through(): AsyncGenerator<Buffer> {
      yield* source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    }
    return super.put(key, through(), options);
  }
}

/** Progress is told once, before the first byte. */
export class ProgressOnce extends MemoryStorage {
  override async put(key: string, data: StorageData, { onProgress, ...options }: PutOptions = {}): Promise<StoredFile> {
    onProgress?.({ transferred: 0 });
    return super.put(key, data, options);
  }
}

/** Everything is read before anything is asked, whatever the signal says. */
export class SignalUnheard extends MemoryStorage {
  override async put(
    key: string,
    data: StorageData,
    { signal: _ignored, ...options }: PutOptions = {},
  ): Promise<StoredFile> {
    return super.put(key, data instanceof Readable ? await buffer(data) : data, options);
  }
}
