import {
  FileNotFoundError,
  MemoryStorage,
  type CopyOptions,
  type DeleteReport,
  type MoveOptions,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type SignalOptions,
  type StoredFile,
} from 'nestjs-storages';

/** A missing key is no error. */
export class DeleteOfMissingResolves extends MemoryStorage {
  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return super._delete(key, { ...options, force: true });
  }
}

/** Deletes what begins with the key. */
export class DeleteOfSiblings extends MemoryStorage {
  protected override async _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    await super._delete(key, options);
    for (const other of [...this.objects.keys()]) {
      if (other.startsWith(key)) await super._delete(other, { force: true });
    }
  }
}

/** Deletes whatever version there is. */
export class DeleteOfAnyVersion extends MemoryStorage {
  protected override _delete(key: string, { ifMatch: _ignored, ...options }: ResolvedDeleteOptions): Promise<void> {
    return super._delete(key, options);
  }
}

/** One request deletes 1,000 keys, and nobody makes the second. */
export class DeleteManyOfAThousand extends MemoryStorage {
  protected override _deleteMany(
    keys: readonly string[],
    options: SignalOptions,
  ): ReturnType<MemoryStorage['_deleteMany']> {
    return super._deleteMany(keys.slice(0, 1000), options);
  }
}

/** Says only what was there. */
export class DeleteManyWithoutMissing extends MemoryStorage {
  override async deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<DeleteReport> {
    const before = new Set(this.objects.keys());
    const report = await super.deleteMany(keys, options);
    return { ...report, deleted: report.deleted.filter((key) => before.has(key)) };
  }
}

/** Deletes everything for the empty prefix, unasked. */
export class DeletePrefixOfAll extends MemoryStorage {
  override deletePrefix(prefix: string, options?: SignalOptions): Promise<DeleteReport> {
    return super.deletePrefix(prefix, { ...options, all: true });
  }
}

/** A copy has the bytes only. */
export class CopyWithoutMetadata extends MemoryStorage {
  protected override async _copy(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    const found = this.objects.get(from);
    if (found === undefined) throw new FileNotFoundError(from);
    const file = await this.put(to, found.bytes, options);
    return file;
  }
}

/** Onto itself, too, a move copies and then deletes. */
export class SelfMoveThatDeletes extends MemoryStorage {
  override async move(from: string, to: string, options?: MoveOptions): Promise<StoredFile> {
    const file = await this.copy(from, to, options);
    await this.delete(from);
    return file;
  }
}

/** The destination is opened for writing, and so emptied, before the source is read. */
export class SelfCopyThatEmpties extends MemoryStorage {
  override async copy(from: string, to: string, options?: CopyOptions): Promise<StoredFile> {
    const { metadata, contentType } = await this.info(from);
    if (options?.ifNoneMatch === undefined) await this.put(to, '', { metadata, contentType });
    return this.put(to, await this.getBytes(from), { ...options, metadata, contentType });
  }
}

/** A missing source empties the destination, before it is missed. */
export class CopyOfMissingEmpties extends MemoryStorage {
  protected override async _copy(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    if (!this.objects.has(from)) await this._delete(to, { force: true });
    return super._copy(from, to, options);
  }
}

/** create-only is not asked when copying. */
export class CopyOverwritesAlways extends MemoryStorage {
  protected override _copy(
    from: string,
    to: string,
    { ifNoneMatch: _ignored, ...options }: ResolvedCopyOptions,
  ): Promise<StoredFile> {
    return super._copy(from, to, options);
  }
}

/** The source goes before the destination has come. */
export class MoveDeletesFirst extends MemoryStorage {
  protected override async _move(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    const found = this.objects.get(from);
    if (found === undefined) throw new FileNotFoundError(from);
    await this._delete(from, { force: true });
    return this.put(to, found.bytes, { ...found.file, ...options });
  }
}

/** A move leaves the source where it was. */
export class MoveThatCopies extends MemoryStorage {
  protected override _move(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return this._copy(from, to, options);
  }
}

/** Two moves of one source both find it. */
export class MoveWithManyWinners extends MemoryStorage {
  protected override async _move(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    const file = await super._copy(from, to, options);
    await new Promise((resolve) => setImmediate(resolve));
    await this._delete(from, { force: true });
    return file;
  }
}
