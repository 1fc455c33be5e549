import { hash } from 'node:crypto';

/** The name of the folder below the root that holds what is not an object at its ordinary path. */
export const PRIVATE_FOLDER = '.storages';

/** Longest name of a file in bytes, on every file system that people use (`NAME_MAX`). */
const MAX_NAME_BYTES = 255;
/** Longest piece of a part in the overflow tree: with its mark it is a name that also stricter file systems hold. */
const MAX_PIECE_BYTES = 240;
/** What no key has: a path must not be made of it, as it could lead out of the root. */
const NOT_CANONICAL = /(?:^|\/)\.{0,2}(?:\/|$)|[\\\p{Cc}]/u;
/** How every name begins that a file system may take for the private folder's. */
const MAYBE_PRIVATE = /^\p{Default_Ignorable_Code_Point}*\./u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
/** A UTF-16 unit is at most three bytes of UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Where everything lies, and the one place where a key becomes a path.
 *
 * A key lies at its ordinary path below the root (`natural`), or, where that cannot be, in the overflow tree, in which every part
 * carries a mark, so that no two keys share a path: `d` a folder, `f` a file, `m` a piece of a part that is too long for a name.
 */
export class Layout {
  readonly private: string;
  /** Bytes that are not committed: `<owner>.<number>`. */
  readonly temporary: string;
  /** One file, and one socket where possible, for each storage that is open. */
  readonly owners: string;
  readonly locks: string;
  /** Guards of those who break the lock of a dead owner. */
  readonly guards: string;
  readonly attributes: string;
  readonly overflowTree: string;
  /** All of these, which are folders. */
  readonly folders: readonly string[];
  /** The claim of a storage that has the root for itself. */
  readonly claim: string;

  /** @param root absolute, with every symbolic link resolved */
  constructor(readonly root: string) {
    this.private = `${root === '/' ? '' : root}/${PRIVATE_FOLDER}`;
    this.temporary = `${this.private}/tmp`;
    this.owners = `${this.private}/procs`;
    this.locks = `${this.private}/locks`;
    this.guards = `${this.private}/break`;
    this.attributes = `${this.private}/attrs`;
    this.overflowTree = `${this.private}/over`;
    this.folders = [this.temporary, this.owners, this.locks, this.guards, this.attributes, this.overflowTree];
    this.claim = `${this.private}/exclusive`;
  }

  /** The ordinary path of a key; `undefined` for one that the tree cannot hold. */
  natural(key: string): string | undefined {
    if (MAYBE_PRIVATE.test(key) && isPrivateName(key.split('/', 1)[0] ?? key)) return undefined;
    if (key.length * MAX_BYTES_PER_UNIT > MAX_NAME_BYTES) {
      for (const part of key.split('/')) if (Buffer.byteLength(part) > MAX_NAME_BYTES) return undefined;
    }
    return `${this.root === '/' ? '' : this.root}/${key}`;
  }

  /** The folder in which all keys that begin with a text up to a slash have their ordinary paths; none where there can be no such key. */
  naturalFolder(head: string): string | undefined {
    const folder = head.slice(0, -1);
    return NOT_CANONICAL.test(folder) ? undefined : this.natural(folder);
  }

  overflow(key: string): string {
    const parts = key.split('/');
    const last = parts.length - 1;
    return `${this.overflowTree}/${parts.map((part, i) => overflowName(part, i === last ? 'f' : 'd')).join('/')}`;
  }
}

/**
 * Whether a name is the private folder's, or one that leads there on a file system that folds names: by letter case in full (Unicode, section
 * 3.13: `ﬆ` is `st`), by normal form, without what is not seen. APFS, NTFS and ext4 with `casefold` each do some of it.
 */
export function isPrivateName(name: string): boolean {
  return name.normalize('NFD').replace(IGNORABLE, '').toUpperCase().toLowerCase() === PRIVATE_FOLDER;
}

/** What a name in the overflow tree adds to the key; `undefined` for a name that is none of this storage's. */
export function decodeOverflowName(name: string): { readonly text: string; readonly file: boolean } | undefined {
  const text = name.slice(1);
  switch (name[0]) {
    case 'f':
      return { text, file: true };
    case 'd':
      return { text: `${text}/`, file: false };
    case 'm':
      return { text, file: false };
    default:
      return undefined;
  }
}

function overflowName(part: string, mark: 'd' | 'f'): string {
  let name = '';
  let piece = '';
  let bytes = 0;
  if (part.length * MAX_BYTES_PER_UNIT <= MAX_PIECE_BYTES) return mark + part;
  for (const character of part) {
    const size = Buffer.byteLength(character);
    if (bytes + size > MAX_PIECE_BYTES) {
      name += `m${piece}/`;
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  return name + mark + piece;
}

/** A name for a key that fits everywhere, 32 hexadecimal digits. */
export function hashOfKey(key: string): string {
  return hash('sha256', key).slice(0, 32);
}

/** The folder that a path lies in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
