import {
  compareKeys,
  freezeStoredFile,
  MemoryStorage,
  type ListEntry,
  type ListOptions,
  type ResolvedListEntriesOptions,
  type ResolvedListOptions,
  type StoredFile,
} from 'nestjs-storages';

/** Every file of a storage in byte order. */
abstract class ListingStorage extends MemoryStorage {
  protected files(): StoredFile[] {
    return [...this.objects.values()].map(({ file }) => file).sort((a, b) => compareKeys(a.key, b.key));
  }
}

/** A prefix that is a pattern. */
abstract class PatternPrefix extends ListingStorage {
  protected abstract pattern(prefix: string): RegExp;

  protected override async *_list(
    prefix: string,
    { startAfter = '' }: ResolvedListOptions,
  ): AsyncGenerator<StoredFile> {
    const pattern = this.pattern(prefix);
    await Promise.resolve();
    for (const file of this.files()) if (pattern.test(file.key) && compareKeys(file.key, startAfter) > 0) yield file;
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** `LIKE 'prefix%'` without an escape: `%` and `_` are wildcards. */
export class PrefixOfLike extends PatternPrefix {
  protected override pattern(prefix: string): RegExp {
    return new RegExp(`^${escaped(prefix).replaceAll('%', '.*').replaceAll('_', '.')}`, 'su');
  }
}

/** A glob: `*` is a wildcard. */
export class PrefixOfGlob extends PatternPrefix {
  protected override pattern(prefix: string): RegExp {
    return new RegExp(`^${escaped(prefix).replaceAll('\\*', '.*')}`, 'su');
  }
}

/** `LIKE` again: letter case has no meaning. */
export class PrefixWithoutCase extends PatternPrefix {
  protected override pattern(prefix: string): RegExp {
    return new RegExp(`^${escaped(prefix)}`, 'isu');
  }
}

/** A prefix is taken for a folder: what ends inside a name matches nothing. */
export class PrefixOfFolders extends PatternPrefix {
  protected override pattern(prefix: string): RegExp {
    return new RegExp(`^${escaped(prefix)}${prefix === '' || prefix.endsWith('/') ? '' : '(?:/|$)'}`, 'su');
  }
}

/** The order of JavaScript's strings, which is that of UTF-16 units. */
export class OrderOfUtf16 extends MemoryStorage {
  protected override async *_list(
    prefix: string,
    { startAfter = '' }: ResolvedListOptions,
  ): AsyncGenerator<StoredFile> {
    const files = [...this.objects.values()].map(({ file }) => file);
    await Promise.resolve();
    for (const file of files.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      if (file.key.startsWith(prefix) && file.key > startAfter) yield file;
    }
  }
}

/** The order of a walk through folders: what is in `a/` comes before `a-b`. */
export class OrderOfFolders extends MemoryStorage {
  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    const files: StoredFile[] = [];
    for await (const file of super._list(prefix, options)) files.push(file);
    yield* files.sort((a, b) => compareKeys(a.key.replaceAll('/', '\0'), b.key.replaceAll('/', '\0')));
  }
}

/** Asks for everything before it yields the first. */
export class ListThatBuffersAll extends MemoryStorage {
  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    const files: StoredFile[] = [];
    for await (const file of super._list(prefix, options)) files.push(file);
    yield* files;
  }
}

/** Pages by number: what is deleted meanwhile moves the rest forward, over the border of the next page. */
export class ListByOffset extends ListingStorage {
  protected override async *_list(
    prefix: string,
    { startAfter = '' }: ResolvedListOptions,
  ): AsyncGenerator<StoredFile> {
    for (let offset = 0; ; offset += 10) {
      const matching = this.files().filter(({ key }) => key.startsWith(prefix) && compareKeys(key, startAfter) > 0);
      const page = matching.slice(offset, offset + 10);
      await Promise.resolve();
      if (page.length === 0) return;
      yield* page;
    }
  }
}

/** list forgets its limit. */
export class LimitIgnored extends MemoryStorage {
  override list(prefix?: string, options?: ListOptions): AsyncIterable<StoredFile> {
    return super.list(prefix, (options?.limit ?? 0) > 0 ? { ...options, limit: undefined } : options);
  }
}

/** startAfter is in the listing itself. */
export class StartAfterIncluded extends MemoryStorage {
  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    const first = options.startAfter === undefined ? undefined : this.objects.get(options.startAfter);
    if (first?.file.key.startsWith(prefix) === true) yield first.file;
    yield* super._list(prefix, options);
  }
}

/** What is listed has no size. */
export class ListWithoutSize extends MemoryStorage {
  protected override async *_list(prefix: string, options: ResolvedListOptions): AsyncGenerator<StoredFile> {
    for await (const file of super._list(prefix, options)) yield freezeStoredFile({ ...file, size: 0 });
  }
}

/** A prefix is shown once for each key under it. */
export class PrefixesRepeated extends MemoryStorage {
  protected override async *_listEntries(
    prefix: string,
    { delimiter, startAfter = '' }: ResolvedListEntriesOptions,
  ): AsyncGenerator<ListEntry> {
    for await (const file of this._list(prefix, {})) {
      const end = file.key.indexOf(delimiter, prefix.length);
      const name = end < 0 ? file.key : file.key.slice(0, end + delimiter.length);
      if (compareKeys(name, startAfter) > 0) yield end < 0 ? { kind: 'file', file } : { kind: 'prefix', prefix: name };
    }
  }
}

/** Folders first, as a file manager shows them. */
export class FoldersFirst extends MemoryStorage {
  protected override async *_listEntries(
    prefix: string,
    options: ResolvedListEntriesOptions,
  ): AsyncGenerator<ListEntry> {
    const entries: ListEntry[] = [];
    for await (const entry of super._listEntries(prefix, options)) entries.push(entry);
    yield* entries.filter(({ kind }) => kind === 'prefix');
    yield* entries.filter(({ kind }) => kind === 'file');
  }
}
